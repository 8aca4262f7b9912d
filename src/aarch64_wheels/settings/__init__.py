"""Settings: what they are (schema), where they come from (layers), selectors."""
