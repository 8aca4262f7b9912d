"""The container engine: finding it, its images, and sessions in its containers."""
