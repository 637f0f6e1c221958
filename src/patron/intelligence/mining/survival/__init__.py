"""How long customers with a contract stay: survival curves, their comparison, retention that rises with age."""
