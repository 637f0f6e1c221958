"""Marts: small tables made from warehouse and models, shaped for the pages that read them."""
