"""Mining models: plain functions over tables of transactions, usable from the product, a notebook or a plain file.

Nothing here imports Django or a database driver. A model is one file in ``models/`` that ends in
``MODEL = Model(...)``; ``registry.models()`` finds it. See ``docs/howto/add-a-model.md``.
"""
