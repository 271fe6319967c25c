# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
"""A client library for accessing Scenario Uploads API"""

from .client import AuthenticatedClient, Client

__all__ = (
    "AuthenticatedClient",
    "Client",
)
