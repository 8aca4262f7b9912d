"""Strict local stand-ins for the services that publishing talks to."""
