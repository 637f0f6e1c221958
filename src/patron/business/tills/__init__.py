"""The till: quoting, committing, voiding and returning what members buy."""
