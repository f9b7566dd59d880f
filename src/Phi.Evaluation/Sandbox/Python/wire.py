"""Frames and values on the pipes of a sandbox.

A frame is a length (4 bytes, big endian) and so many bytes. A value is a tag and what the tag says. Reading makes objects of
Python's own types alone, whatever the bytes are: the checker reads what the generated program wrote.
"""
import builtins
import os
import struct

LARGEST = 64 << 20
_LENGTH = struct.Struct(">I")
_DOUBLE = struct.Struct(">d")


class WireError(Exception):
    """The other side sent what is no frame or no value."""


def write(fd, data):
    data = _LENGTH.pack(len(data)) + data
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view):]


def read(fd, largest=LARGEST):
    """None where the other side has closed."""
    head = _exactly(fd, 4)
    if head is None:
        return None
    (length,) = _LENGTH.unpack(head)
    if length > largest:
        raise WireError("a message of %d bytes; at most %d are taken" % (length, largest))
    return _exactly(fd, length)


def _exactly(fd, count):
    parts = []
    while count:
        part = os.read(fd, min(count, 1 << 20))
        if not part:
            return None
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


class Opaque:
    """Stands for an object that stays in the program: a number that the program gave it."""

    __slots__ = ("number",)

    def __init__(self, number):
        self.number = number


# Containers that can change: a call's argument is the same object afterwards, with what the call made of it.
MUTABLE = (list, dict, set, bytearray)


class Writer:
    """
    Writes values. `known` are containers that the other side has: they are named by their place, not copied. `opaque` gives the
    number of an object that has no form here, or raises.
    """

    def __init__(self, opaque, known=()):
        self.parts = []
        self.opaque = opaque
        self.known = {id(value): place for place, value in enumerate(known)}
        self.seen = []

    def data(self):
        return b"".join(self.parts)

    def _put(self, tag, body=b""):
        self.parts += (tag, _LENGTH.pack(len(body)), body)

    def _count(self, tag, count):
        self.parts += (tag, _LENGTH.pack(count))

    def value(self, value):
        if id(value) in self.known:
            self._count(b"R", self.known[id(value)])
            return
        if isinstance(value, MUTABLE):
            self.known[id(value)] = len(self.known)
            self.seen.append(value)
        self.contents(value)

    def contents(self, value):
        """A subclass of a type that has a form is written as that type."""
        if value is None:
            self._count(b"N", 0)
        elif value is True or value is False:
            self._count(b"B", int(value))
        elif isinstance(value, int):
            value = int.__index__(value)
            self._put(b"i", int.to_bytes(value, int.bit_length(value) // 8 + 1, "big", signed=True))
        elif isinstance(value, float):
            self._put(b"f", _DOUBLE.pack(value))
        elif isinstance(value, complex):
            self._put(b"c", _DOUBLE.pack(value.real) + _DOUBLE.pack(value.imag))
        elif isinstance(value, str):
            self._put(b"s", str.encode(value, "utf-8", "surrogatepass"))
        elif isinstance(value, bytes):
            self._put(b"b", bytes(value))
        elif isinstance(value, bytearray):
            self._put(b"a", bytes(value))
        elif isinstance(value, tuple):
            self._items(b"t", tuple.__len__(value), tuple.__iter__(value))
        elif isinstance(value, list):
            self._items(b"l", list.__len__(value), list.__iter__(value))
        elif isinstance(value, dict):
            self._items(b"d", 2 * dict.__len__(value), (part for pair in dict.items(value) for part in pair))
        elif isinstance(value, set):
            self._items(b"S", set.__len__(value), set.__iter__(value))
        elif isinstance(value, frozenset):
            self._items(b"Z", frozenset.__len__(value), frozenset.__iter__(value))
        elif isinstance(value, range):
            self._items(b"r", 3, (value.start, value.stop, value.step))
        elif isinstance(value, type({}.keys())):
            self._items(b"k", len(value), value)
        elif isinstance(value, type({}.values())):
            self._items(b"l", len(value), value)
        elif value is Ellipsis:
            self._count(b"E", 0)
        elif isinstance(value, type) and getattr(builtins, value.__name__, None) is value:
            self._put(b"T", value.__name__.encode())
        else:
            form = _form(value)
            if form is None:
                self._count(b"O", self.opaque(value))
            else:
                name, arguments = form
                self._items(b"X", 1 + len(arguments), (name,) + arguments)

    def _items(self, tag, count, items):
        self._count(tag, count)
        for item in items:
            self.value(item)


def _form(value):
    """Values of the standard library that compare with others of their type."""
    kind = type(value)
    name = kind.__module__ + "." + kind.__qualname__
    if name == "collections.deque":
        return name, (list(value),)
    if name == "decimal.Decimal":
        return name, (str(value),)
    if name == "fractions.Fraction":
        return name, (value.numerator, value.denominator)
    if name == "datetime.date":
        return name, (value.year, value.month, value.day)
    if name == "datetime.timedelta":
        return name, (value.days, value.seconds, value.microseconds)
    if name == "datetime.datetime" and value.tzinfo is None:
        return name, (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
    if name == "datetime.time" and value.tzinfo is None:
        return name, (value.hour, value.minute, value.second, value.microsecond)
    return None


_FORMS = ("collections.deque", "decimal.Decimal", "fractions.Fraction", "datetime.date", "datetime.timedelta", "datetime.datetime", "datetime.time")


class Reader:
    """Reads values. `opaque` makes the object of a number; `known` are the containers that the writer names by their place."""

    def __init__(self, data, opaque, known=()):
        self.data = memoryview(data)
        self.at = 0
        self.opaque = opaque
        self.known = list(known)

    def more(self):
        return self.at < len(self.data)

    def _take(self, count):
        if count > len(self.data) - self.at:
            raise WireError("a message that is cut off")
        part = self.data[self.at:self.at + count]
        self.at += count
        return part

    def _head(self):
        tag = bytes(self._take(1))
        (count,) = _LENGTH.unpack(self._take(4))
        return tag, count

    def value(self, into=None):
        """`into`: a container that gets what is read, and keeps being itself."""
        tag, count = self._head()
        if tag == b"N":
            return None
        if tag == b"B":
            return count != 0
        if tag == b"i":
            return int.from_bytes(self._take(count), "big", signed=True)
        if tag == b"f":
            return _DOUBLE.unpack(self._take(count))[0]
        if tag == b"c":
            return complex(*struct.unpack(">dd", self._take(count)))
        if tag == b"s":
            return str(self._take(count), "utf-8", "surrogatepass")
        if tag == b"b":
            return bytes(self._take(count))
        if tag == b"a":
            return self._fill(into, bytearray, bytes(self._take(count)), bytearray.extend)
        if tag == b"t":
            return tuple(self._several(count))
        if tag == b"l":
            return self._nested(into, list, count, list.extend)
        if tag == b"d":
            return self._nested(into, dict, count, lambda to, flat: dict.update(to, zip(flat[::2], flat[1::2])))
        if tag == b"S":
            return self._nested(into, set, count, set.update)
        if tag == b"Z":
            return frozenset(self._several(count))
        if tag == b"r":
            return range(*self._several(3))
        if tag == b"k":
            return dict.fromkeys(self._several(count)).keys()
        if tag == b"E":
            return Ellipsis
        if tag == b"T":
            value = getattr(builtins, str(self._take(count), "utf-8"), None)
            if not isinstance(value, type):
                raise WireError("a type that Python does not have")
            return value
        if tag == b"R":
            if count >= len(self.known):
                raise WireError("a name of an object that is not there")
            return self.known[count]
        if tag == b"O":
            return self.opaque(count)
        if tag == b"X":
            name, *arguments = self._several(count)
            if name not in _FORMS:
                raise WireError("a value of an unknown type")
            module, kind = name.split(".")
            return getattr(__import__(module), kind)(*arguments)
        raise WireError("a value of an unknown kind")

    def _several(self, count):
        if count > len(self.data) - self.at:
            raise WireError("a message that is cut off")
        return [self.value() for _ in range(count)]

    def _nested(self, into, kind, count, fill):
        # Named before its items are read: an item may name it.
        to = self._target(into, kind)
        items = self._several(count)
        kind.clear(to)
        fill(to, items)
        return to

    def _fill(self, into, kind, items, fill):
        to = self._target(into, kind)
        kind.clear(to)
        fill(to, items)
        return to

    def _target(self, into, kind):
        if into is None:
            into = kind()
            self.known.append(into)
        elif type(into) is not kind:
            raise WireError("a container that became another")
        return into
