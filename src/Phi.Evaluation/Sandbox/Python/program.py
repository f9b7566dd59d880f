"""The process of the generated program: it runs it, and then does what the checker asks. Nothing here is trusted: the program may
change all of it, and all that it can say is what its own functions answer."""
import builtins
import operator
import os
import sys
import types

import wire

NAME = "solution"


class _Absent(Exception):
    pass


_OPERATIONS = {
    "call": lambda target, arguments, named: target(*arguments, **named),
    "get": getattr, "set": setattr, "item": operator.getitem, "put": operator.setitem,
    "iter": iter, "next": next, "len": len, "bool": bool, "str": str, "repr": repr, "hash": hash,
    "float": float, "int": int, "index": operator.index,
    "enter": lambda target: target.__enter__(), "exit": lambda target: target.__exit__(None, None, None),
}
for _name in ("eq", "ne", "lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "and_", "or_", "xor", "neg", "abs"):
    _OPERATIONS[_name] = getattr(operator, _name)


class _Objects:
    """What the checker has been given a number for."""

    def __init__(self):
        self.all = []

    def number(self, value):
        for place, known in enumerate(self.all):
            if known is value:
                return place
        self.all.append(value)
        return len(self.all) - 1

    def get(self, number):
        return self.all[number]


def run(channel, text):
    """Never returns."""
    reading, fd = channel
    objects = _Objects()
    # The module site, which is left out with all packages that it would find, puts them there.
    builtins.exit = builtins.quit = sys.exit
    module = types.ModuleType(NAME)
    sys.modules[NAME] = module
    try:
        # Not "__main__", as the field's harness has it: what a program does as a script is not what is asked for.
        code = compile(text, "<program>", "exec", dont_inherit=True)
    except BaseException as error:
        _answer(fd, b"C" + _problem(error))
        os._exit(0)
    try:
        exec(code, module.__dict__)
    except BaseException as error:
        _answer(fd, b"L" + _problem(error))
        os._exit(0)
    _answer(fd, b"K")
    while True:
        request = wire.read(reading)
        if request is None:
            os._exit(0)
        _answer(fd, _serve(request, objects, module))


def _serve(request, objects, module):
    reader = wire.Reader(request, objects.get)
    try:
        operation, *operands = reader.value()
        if operation == "name":
            result = getattr(module, operands[0], _Absent)
            if result is _Absent:
                return b"A"
        else:
            result = _OPERATIONS[operation](*operands)
    except BaseException as error:
        return b"E" + _problem(error)
    try:
        # The first containers are the request's own list and its operands; each is told as it is now.
        containers = reader.known[1:]
        writer = wire.Writer(objects.number, containers)
        for value in containers:
            writer.contents(value)
        writer.value(result)
        return b"V" + writer.data()
    except BaseException as error:
        return b"E" + _problem(error)


def _answer(fd, data):
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BaseException:
            pass
    wire.write(fd, data)


def _problem(error):
    """The names of the error's classes, its text, and where it came from."""
    writer = wire.Writer(lambda value: 0)
    try:
        text = str(error)[:2000]
    except BaseException:
        text = ""
    try:
        writer.value(([kind.__name__ for kind in type(error).__mro__], text, _where(error)))
        return writer.data()
    except BaseException:
        writer = wire.Writer(lambda value: 0)
        writer.value((["Exception"], "", ""))
        return writer.data()


def _where(error):
    lines, trace = [], error.__traceback__
    while trace is not None and len(lines) < 1000:
        if trace.tb_frame.f_code.co_filename == "<program>":
            lines.append("line %d, in %s" % (trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.lineno:
        lines.append("line %d" % error.lineno)
    return "; ".join(lines[-3:])
