"""The import engine: files in, typed rows out, chunk by chunk into the rooms that declared what they take.

A room declares an `Importer` in its `imports.py`; `engine.import_file` reads the file, `apply` of the room writes it.
"""
