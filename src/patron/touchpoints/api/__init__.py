"""The HTTP API for integrations."""
