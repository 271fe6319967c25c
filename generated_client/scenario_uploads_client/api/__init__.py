# Generated from openapi.yaml by openapi-python-client 0.29.1.
# Do not edit: change openapi.yaml and run `make generate`.
"""Contains methods for accessing the API"""
