"""
The process that decides. It runs the suite's own code, the reference solution and the tests, and never the generated program: that
lives in a process of its own, which gets the arguments of each call and answers with plain data. So nothing that the program does to
its interpreter reaches the tests, and it sees neither them nor the reference.
"""
import builtins
import os

import wire


class Ended(BaseException):
    """The program's process is gone."""


class Missing(BaseException):
    """The program does not define what the test takes from it."""


class Unsound(BaseException):
    """The program answered what is no answer."""


class Loading(BaseException):
    """The program failed before it had defined anything."""

    def __init__(self, verdict, message):
        super().__init__(message)
        self.verdict = verdict


class Suite(BaseException):
    """The suite's own code is wrong."""


class Program:
    """The generated program, from the checker's side."""

    def __init__(self, channel):
        self.reading, self.writing = channel
        self.proxies = {}

    def load(self):
        answer = self._read()
        kind, rest = answer[:1], answer[1:]
        if kind == b"K":
            return
        if kind not in (b"C", b"L"):
            raise Unsound("no word of whether the program was loaded")
        names, text, where = self._problem(rest)
        verdict = "memory" if "MemoryError" in names else "syntax" if kind == b"C" else "raised"
        raise Loading(verdict, _sentence(names, text, where))

    def name(self, name):
        return self._ask("name", name)

    def _read(self):
        try:
            answer = wire.read(self.reading)
        except wire.WireError as error:
            raise Unsound(str(error))
        except OSError:
            answer = None
        if answer is None:
            raise Ended()
        return answer

    def _ask(self, *request):
        writer = wire.Writer(self._number)
        try:
            writer.value(list(request))
        except TypeError as error:
            raise Suite(str(error))
        try:
            wire.write(self.writing, writer.data())
        except OSError:
            raise Ended()
        answer = self._read()
        kind, rest = answer[:1], answer[1:]
        if kind == b"A":
            raise Missing(request[-1])
        if kind == b"E":
            raise _error(*self._problem(rest))
        if kind != b"V":
            raise Unsound("an answer of an unknown kind")
        try:
            own = writer.seen[1:]
            reader = wire.Reader(rest, self._proxy, own)
            for container in own:
                reader.value(container)
            return reader.value()
        except MemoryError:
            raise
        except Exception as error:
            raise Unsound(str(error) or type(error).__name__)

    def _problem(self, data):
        try:
            names, text, where = wire.Reader(data, lambda number: None).value()
            return [str(name)[:200] for name in names][:20], str(text)[:2000], str(where)[:500]
        except Exception as error:
            raise Unsound(str(error) or type(error).__name__)

    def _number(self, value):
        if type(value) is Proxy:
            return object.__getattribute__(value, "_number")
        raise TypeError("the test hands the program a value of type %s; plain data and what the program itself made can be handed over" % type(value).__name__)

    def _proxy(self, number):
        if number not in self.proxies:
            self.proxies[number] = Proxy(self, number)
        return self.proxies[number]


class Proxy:
    """
    An object that stays in the program: a function, a class, an instance, a generator. What is asked of it the program answers, and
    never with an operand of the test in hand: with plain data it is neither equal, greater nor less, and there is no arithmetic, for
    an object that learns what is expected could say yes to it. Two of the program's own objects compare as the program has it.
    """

    __slots__ = ("_program", "_number")

    def __init__(self, owner, number):
        object.__setattr__(self, "_program", owner)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name):
        return _ask("get", self, name)

    def __setattr__(self, name, value):
        _ask("set", self, name, value)

    def __call__(self, *arguments, **named):
        return _ask("call", self, list(arguments), named)

    def __getitem__(self, key):
        return _ask("item", self, key)

    def __setitem__(self, key, value):
        _ask("put", self, key, value)

    def __enter__(self):
        return _ask("enter", self)

    def __exit__(self, *error):
        _ask("exit", self)

    def __contains__(self, value):
        return any(item is value or item == value for item in iter(self))

    def __str__(self):
        return _typed(str, "str", self)

    def __repr__(self):
        return _typed(str, "repr", self)

    def __bool__(self):
        return _typed(bool, "bool", self)

    def __len__(self):
        return _typed(int, "len", self)

    def __hash__(self):
        return _typed(int, "hash", self)

    def __int__(self):
        return _typed(int, "int", self)

    def __index__(self):
        return _typed(int, "index", self)

    def __float__(self):
        return _typed(float, "float", self)

    def __next__(self):
        return _ask("next", self)

    def __iter__(self):
        items = _ask("iter", self)
        if type(items) is not Proxy:
            raise TypeError("what the program made is not iterable")
        while True:
            try:
                yield _ask("next", items)
            except StopIteration:
                return

    def __eq__(self, other):
        return self is other or _typed(bool, "eq", self, other) if type(other) is Proxy else False

    def __ne__(self, other):
        return not self == other


def _binary(name):
    def apply(self, other):
        return _ask(name, self, other) if type(other) is Proxy else NotImplemented
    return apply


for _operator in ("lt", "le", "gt", "ge", "add", "sub", "mul", "truediv", "floordiv", "mod", "pow"):
    setattr(Proxy, "__%s__" % _operator, _binary(_operator))
for _operator in ("and", "or"):
    setattr(Proxy, "__%s__" % _operator, _binary(_operator + "_"))
for _operator in ("neg", "abs"):
    setattr(Proxy, "__%s__" % _operator, (lambda name: lambda self: _ask(name, self))(_operator))


def _ask(operation, target, *operands):
    return object.__getattribute__(target, "_program")._ask(operation, target, *operands)


def _typed(kind, operation, target, *operands):
    value = _ask(operation, target, *operands)
    if type(value) is not kind:
        raise TypeError("the program's object gave no %s" % kind.__name__)
    return value


def _error(names, text, where):
    """The exception that the program raised, as the test would have met it: of the nearest class that Python itself has."""
    for name in names:
        kind = getattr(builtins, name, None)
        if isinstance(kind, type) and issubclass(kind, Exception):
            try:
                error = kind(text)
            except TypeError:
                continue
            error.program = _sentence(names, text, where)
            return error
    error = RuntimeError(text)
    error.program = _sentence(names, text, where)
    return error


def _sentence(names, text, where):
    said = (names[0] if names else "error") + (": " + text if text else "")
    return "%s (%s)" % (said, where) if where else said


REFERENCE, TEST = "<reference>", "<test>"


def check(channel, reference, entry, tests):
    """
    A verdict and a sentence. `entry`: the function to hand to the test's check(candidate); empty: the tests are statements, and take
    from the program what they use of the names that the reference defines.
    """
    owner = Program(channel)
    try:
        owner.load()
        space = {"__name__": "reference"}
        _own(lambda: exec(compile(reference, REFERENCE, "exec", dont_inherit=True), space))
        code = _own(lambda: [compile(text, TEST, "exec", dont_inherit=True) for text in tests])
        names = [entry] if entry else _taken(space, code)
        if not names:
            raise Suite("the tests use nothing that the reference solution defines")
        for name in names:
            space[name] = owner.name(name)
        if entry and type(space[entry]) is not Proxy:
            return "failed", "%s is no function" % entry
        for part in code:
            exec(part, space)
        if entry:
            # The test's own, whatever the program calls so.
            if not callable(space.get("check")) or type(space["check"]) is Proxy:
                raise Suite("the test defines no function check")
            space["check"](space[entry])
        return "passed", ""
    except Loading as error:
        return error.verdict, str(error)
    except Missing as error:
        return "failed", "the program does not define %s" % error
    except Unsound as error:
        return "failed", "the program's process answered what is no answer: %s" % error
    except Ended:
        return "ended", "the program ended before the test did"
    except Suite as error:
        return "suite", str(error)
    except AssertionError as error:
        said = getattr(error, "program", None)
        return ("raised", said) if said else ("failed", _assertion(error, tests))
    except MemoryError:
        return "memory", "MemoryError"
    except BaseException as error:
        said = getattr(error, "program", None) or "%s: %s" % (type(error).__name__, str(error)[:2000])
        return ("raised" if hasattr(error, "program") else "failed"), said


def _own(action):
    try:
        return action()
    except BaseException as error:
        raise Suite("%s: %s" % (type(error).__name__, str(error)[:500]))


def _assertion(error, tests):
    """The line that did not hold."""
    trace, number = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == TEST:
            number = trace.tb_lineno
        trace = trace.tb_next
    text = str(error)[:500]
    lines = tests[0].split("\n") if len(tests) == 1 else []
    line = lines[number - 1].strip() if number and number <= len(lines) else ""
    return "AssertionError" + (": " + text if text else "") + (" at: " + line[:500] if line else "")


def _taken(space, code):
    used = set()
    pending = list(code)
    while pending:
        one = pending.pop()
        used.update(one.co_names)
        pending += [part for part in one.co_consts if isinstance(part, type(one))]
    return [name for name in space if name in used and not name.startswith("__") and _is_own(space[name])]


def _is_own(value):
    """Not what the reference imported."""
    if isinstance(value, type(os)):
        return False
    return getattr(value, "__module__", "reference") in ("reference", None)
