"""The library's page: a named tuple's fields stand in its docstring, once."""

from collections import namedtuple

TupleField = type(namedtuple("Point", "x").x)


def skip_tuple_field(app, what, name, obj, skip, options):
    return True if isinstance(obj, TupleField) else None


def setup(app):
    app.connect("autodoc-skip-member", skip_tuple_field)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
