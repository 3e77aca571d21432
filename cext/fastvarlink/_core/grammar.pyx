# cython: language_level=3str
"""From the tokens of an interface definition to its syntax tree, by recursive descent.

A fault does not end the walk: it goes on behind the field, the struct or the member that has the fault, so
that all faults of a text are found. What is read from there on is only good for finding more of them.

Accepted beyond the specification's grammar, as all readers agree on what it means: members without a line end
between them, and a last comment without one.
"""

cimport cython

from fastvarlink._core.lexer cimport (
    ARRAY,
    ARROW,
    CLOSE,
    COLON,
    COMMA,
    END,
    MAP,
    OPEN,
    OTHER,
    QUESTION,
    WORD,
    Lexer,
    Token,
    is_letter,
)
from fastvarlink._core.tree cimport (
    Array,
    Enum,
    EnumValue,
    Error,
    Field,
    Interface,
    Map,
    Method,
    Named,
    Nullable,
    Struct,
    TypeDeclaration,
)
from fastvarlink._core.tree import Primitive

cdef object BOOL = Primitive.BOOL
cdef object INT = Primitive.INT
cdef object FLOAT = Primitive.FLOAT
cdef object STRING = Primitive.STRING
cdef object OBJECT = Primitive.OBJECT
cdef object ANY = Primitive.ANY


class Skip(Exception):
    """The walk cannot go on from this token. Never leaves this module."""


@cython.final
cdef class Parser:
    def __init__(self, str text not None):
        self.lexer = Lexer(text)
        self.faults = []
        self.strays = []
        self.unread = set()

    cdef int fault(self, str which) except -1:
        return self.fault_at(self.lexer.start, self.lexer.start, self.lexer.end, which)

    cdef int missing(self, str which) except -1:
        cdef Lexer lexer = self.lexer
        if lexer.before > 0 and (lexer.token == END or self.begins_member()):
            return self.fault_at(lexer.before, lexer.start, lexer.end, which)
        return self.fault(which)

    cdef int give_up(self, str which) except -1:
        self.missing(which)
        raise Skip()

    cdef int fault_at(self, Py_ssize_t at, Py_ssize_t start, Py_ssize_t end, str which) except -1:
        if self.stopped:
            return 0
        self.faults.append((at, start, end, which))
        if len(self.faults) == MAX_FAULTS:
            self.faults.append((at, start, end, "too many"))
            self.stop()
        return 0

    cdef int stop(self) except -1:
        self.stopped = True
        self.lexer.size = self.lexer.end
        return 0

    # ---- comments

    cdef int stray(self) except -1:
        if self.lexer.commented:
            self.stray_remark()
            self.strays.extend(self.gap_blocks())
        return 0

    cdef int stray_remark(self) except -1:
        if self.lexer.commented and self.lexer.remark:
            self.strays.append(self.lexer.remark)
        return 0

    cdef tuple gap_blocks(self):
        if not self.lexer.commented:
            return ()
        if self.lexer.doc:
            return (*self.lexer.blocks, self.lexer.doc)
        return tuple(self.lexer.blocks)

    cdef tuple own_comments(self, list blocks):
        if not blocks and not self.strays:
            return ()
        return (*blocks, *self.strays)

    # ---- the interface and its members

    cdef Interface interface(self):
        cdef Lexer lexer = self.lexer
        cdef Interface node = Interface.__new__(Interface)
        cdef list members = []
        cdef list blocks
        cdef bint braced = False
        lexer.advance()
        blocks = lexer.blocks
        node.doc = lexer.doc
        node.at = -1
        node.remark = node.name = ""
        if lexer.is_word("interface", 9):
            lexer.advance()
            self.stray()
            node.at = lexer.start
            node.name = self.interface_name()
        else:
            self.fault("interface")
            if not self.begins_member():
                self.skip_to_member()
        node.comments = self.own_comments(blocks)
        if lexer.commented:
            node.remark = lexer.remark
        if self.is_sign("{"):
            # Braces around the members are one fault, which the first of them has.
            self.fault("keyword")
            braced = True
            lexer.advance()
        while lexer.token != END:
            if len(members) == MAX_MEMBERS:
                self.fault("members")
                self.stop()
                break
            if braced and self.is_sign("}"):
                braced = False
                lexer.advance()
                continue
            self.strays = []
            self.name = None
            try:
                members.append(self.member())
            except Skip:
                if self.name is not None:
                    self.unread.add(self.name)
                self.skip_to_member()
        if not members and not self.faults:
            self.missing("no member")
        node.closing = self.gap_blocks()
        node.members = tuple(members)
        return node

    cdef str interface_name(self):
        cdef Lexer lexer = self.lexer
        cdef str name = lexer.found() if lexer.token == WORD else ""
        if not is_interface_name(name):
            self.missing("interface name")
            if lexer.token != WORD or lexer.broken:
                # Most likely there is no name at all.
                if not self.begins_member() and not self.is_sign("{"):
                    self.skip_to_member()
                return ""
        lexer.advance()
        return name

    cdef object member(self):
        cdef Lexer lexer = self.lexer
        cdef list blocks = lexer.blocks
        cdef str doc = lexer.doc
        cdef str name
        cdef Py_ssize_t at
        cdef TypeDeclaration declaration
        cdef Method method
        cdef Error error
        cdef int kind = -1
        cdef bint good = True
        if lexer.is_word("type", 4):
            kind = 0
        elif lexer.is_word("method", 6):
            kind = 1
        elif lexer.is_word("error", 5):
            kind = 2
        else:
            self.give_up("keyword")
        lexer.advance()
        self.stray()
        at = lexer.start
        if not lexer.is_member:
            self.missing("member name")
            if lexer.token != WORD or self.begins_member():
                raise Skip()
            good = False
        name = lexer.found()
        if kind == 0:
            self.name = name
            if not good:
                self.unread.add(name)
        lexer.advance()
        self.stray()
        if not good and lexer.token != OPEN and lexer.token != END and not lexer.broken:
            raise Skip()
        if kind == 0:
            declaration = TypeDeclaration.__new__(TypeDeclaration)
            declaration.at = at
            declaration.name = name
            declaration.doc = doc
            if lexer.token != OPEN:
                self.give_up("declared type")
            declaration.type = self.body(1)
            declaration.end = lexer.before
            declaration.remark = lexer.remark if lexer.commented else ""
            declaration.comments = self.own_comments(blocks)
            return declaration
        if kind == 1:
            method = Method.__new__(Method)
            method.at = at
            method.name = name
            method.doc = doc
            method.input = self.struct("method input")
            self.stray()
            if lexer.token != ARROW:
                self.missing("arrow")
                while lexer.token != OPEN:
                    if lexer.token == END or lexer.broken:
                        raise Skip()
                    lexer.advance()
            else:
                lexer.advance()
                self.stray()
            method.output = self.struct("method output")
            method.end = lexer.before
            method.remark = lexer.remark if lexer.commented else ""
            method.comments = self.own_comments(blocks)
            return method
        error = Error.__new__(Error)
        error.at = at
        error.name = name
        error.doc = doc
        error.type = self.struct("error parameters")
        error.end = lexer.before
        error.remark = lexer.remark if lexer.commented else ""
        error.comments = self.own_comments(blocks)
        return error

    cdef Struct struct(self, str which):
        """A struct where an enum will not do; which says where."""
        cdef object body
        cdef Py_ssize_t at = self.lexer.start
        if self.lexer.token != OPEN:
            self.give_up(which)
        body = self.body(1)
        if type(body) is Struct:
            return <Struct> body
        self.fault_at(at, at, at + 1, which + " enum")
        return Struct(())

    # ---- structs and enums

    cdef object body(self, int depth):
        cdef Lexer lexer = self.lexer
        cdef Struct struct
        cdef Py_ssize_t at = lexer.start
        cdef Py_UCS4 behind
        lexer.advance()
        if lexer.token == CLOSE:
            struct = Struct.__new__(Struct)
            struct.at = at
            struct.closing = self.gap_blocks()
            if lexer.commented and lexer.remark:
                struct.closing = (lexer.remark, *struct.closing)
            struct.fields = ()
            lexer.advance()
            return struct
        self.stray_remark()
        # What is no name, or begins the next member, is a fault for fields() to find.
        behind = lexer.peek() if lexer.token == WORD and not self.begins_member() else u":"
        if behind == u"," or behind == u")":
            return self.values(at)
        if behind == u":":
            return self.fields(at, depth)
        lexer.advance()
        self.missing("first separator")
        self.skip_to_close()
        lexer.advance()
        return Struct(())

    cdef Struct fields(self, Py_ssize_t at, int depth):
        cdef Struct struct = Struct.__new__(Struct)
        cdef list fields = []
        cdef bint more = True
        cdef list outer = self.strays
        cdef Field field
        while more:
            self.strays = []
            field = self.field(depth, &more)
            if field.type is not None:
                fields.append(field)
        self.strays = outer
        struct.at = at
        struct.fields = tuple(fields)
        struct.closing = self.gap_blocks()
        self.lexer.advance()
        return struct

    cdef Field field(self, int depth, bint *more):
        cdef Lexer lexer = self.lexer
        cdef Field field = Field.__new__(Field)
        cdef list blocks = lexer.blocks
        cdef Py_ssize_t known = len(self.faults)
        self.begin_part()
        field.at = lexer.start
        field.doc = lexer.doc
        field.remark = ""
        try:
            if not lexer.is_field or self.begins_member():
                self.missing("field name")
                if lexer.token != WORD or self.begins_member():
                    raise Skip()
            field.name = lexer.found()
            lexer.advance()
            self.stray()
            if lexer.token != COLON:
                self.give_up("colon")
            lexer.advance()
            self.stray()
            field.type = self.type(depth)
        except Skip:
            self.skip_to_separator()
        field.remark = self.separator("field separator", known, more)
        field.comments = self.own_comments(blocks)
        return field

    cdef Enum values(self, Py_ssize_t at):
        cdef Enum enum = Enum.__new__(Enum)
        cdef list values = []
        cdef bint more = True
        cdef list outer = self.strays
        cdef EnumValue value
        while more:
            self.strays = []
            value = self.value(&more)
            if value.name is not None:
                values.append(value)
        self.strays = outer
        enum.at = at
        enum.values = tuple(values)
        enum.closing = self.gap_blocks()
        self.lexer.advance()
        return enum

    cdef EnumValue value(self, bint *more):
        cdef Lexer lexer = self.lexer
        cdef EnumValue value = EnumValue.__new__(EnumValue)
        cdef list blocks = lexer.blocks
        cdef Py_ssize_t known = len(self.faults)
        self.begin_part()
        value.at = lexer.start
        value.doc = lexer.doc
        if not lexer.is_field or self.begins_member():
            self.missing("value name")
        if lexer.token == WORD and not self.begins_member():
            value.name = lexer.found()
            lexer.advance()
        else:
            self.skip_to_separator()
        value.remark = self.separator("value separator", known, more)
        value.comments = self.own_comments(blocks)
        return value

    cdef int begin_part(self) except -1:
        self.parts += 1
        if self.parts > MAX_PARTS:
            self.fault("parts")
            self.stop()
            raise Skip()
        return 0

    cdef str separator(self, str which, Py_ssize_t known, bint *more):
        """Take what stands behind a field or a value, and what comes behind a comma on its line.

        At a closing parenthesis more is false, and the comments before it are left to the caller.
        """
        cdef Lexer lexer = self.lexer
        cdef str remark = lexer.remark if lexer.commented else ""
        cdef Py_ssize_t at
        more[0] = False
        if lexer.token == CLOSE:
            return remark
        if lexer.token != COMMA:
            # On the same line it is what is left of a fault that is known.
            if len(self.faults) == known or lexer.broken or lexer.token == END:
                self.missing(which)
            if lexer.is_field and lexer.broken and not self.begins_member():
                # A line of its own: the comma has been forgotten.
                more[0] = True
                return remark
            if lexer.token == COLON and which == "value separator":
                # Fields and values are mixed. What the rest should be is not known.
                self.skip_to_close()
            else:
                self.skip_to_separator()
            if lexer.token == CLOSE:
                return remark
        self.strays.extend(self.gap_blocks())
        at = lexer.start
        lexer.advance()
        if lexer.token == CLOSE:
            # The comma before it is one too many, unless it is a fault already.
            if not self.faults or self.faults[-1][1] != at:
                self.fault_at(at, at, at + 1, "trailing comma")
        else:
            more[0] = True
        if lexer.commented and lexer.remark:
            if remark:
                self.strays.append(lexer.remark)
            else:
                remark = lexer.remark
        return remark

    # ---- types

    cdef object type(self, int depth):
        """A type that stands within depth others."""
        cdef Lexer lexer = self.lexer
        cdef Py_ssize_t at = lexer.start
        cdef Token token = lexer.token
        cdef Array array
        cdef Map map_
        cdef Nullable nullable
        if token == WORD:
            return self.plain_type()
        if token != OPEN and token != ARRAY and token != MAP and token != QUESTION:
            self.give_up("type")
        if depth == MAX_DEPTH:
            self.give_up("depth")
        if token == OPEN:
            return self.body(depth + 1)
        lexer.advance()
        if token == QUESTION and lexer.token == QUESTION:
            self.fault("double nullable")
            while lexer.token == QUESTION:
                lexer.advance()
            return self.type(depth + 1)
        if not lexer.glued and lexer.token != END:
            self.fault_at(at, at, lexer.before, "gap in type")
            self.stray()
        if token == ARRAY:
            array = Array.__new__(Array)
            array.at = at
            array.element = self.type(depth + 1)
            return array
        if token == MAP:
            map_ = Map.__new__(Map)
            map_.at = at
            map_.element = self.type(depth + 1)
            return map_
        nullable = Nullable.__new__(Nullable)
        nullable.at = at
        nullable.element = self.type(depth + 1)
        return nullable

    cdef object plain_type(self):
        cdef Lexer lexer = self.lexer
        cdef object found = None
        cdef Named named
        cdef Py_ssize_t length = lexer.end - lexer.start
        if length == 3:
            if lexer.is_word("int", 3):
                found = INT
            elif lexer.is_word("any", 3):
                found = ANY
        elif length == 4:
            if lexer.is_word("bool", 4):
                found = BOOL
        elif length == 5:
            if lexer.is_word("float", 5):
                found = FLOAT
        elif length == 6:
            if lexer.is_word("string", 6):
                found = STRING
            elif lexer.is_word("object", 6):
                found = OBJECT
        if found is None:
            if lexer.is_member:
                named = Named.__new__(Named)
                named.at = lexer.start
                named.name = lexer.found()
                found = named
            else:
                self.missing("type")
                if self.begins_member():
                    raise Skip()
                found = ANY
        lexer.advance()
        return found

    # ---- going on after a fault

    cdef int skip_to_separator(self) except -1:
        """To a comma or a closing parenthesis of the struct that is being read."""
        cdef Lexer lexer = self.lexer
        cdef int depth = 0
        while True:
            if depth == 0 and (lexer.token == COMMA or lexer.token == CLOSE):
                return 0
            if lexer.token == END or self.begins_member():
                raise Skip()
            if lexer.token == OPEN:
                depth += 1
            elif lexer.token == CLOSE:
                depth -= 1
            lexer.advance()

    cdef int skip_to_close(self) except -1:
        while True:
            self.skip_to_separator()
            if self.lexer.token == CLOSE:
                return 0
            self.lexer.advance()

    cdef int skip_to_member(self) except -1:
        cdef Lexer lexer = self.lexer
        cdef bint declares
        while lexer.token != END:
            if self.begins_member():
                return 0
            declares = lexer.is_word("type", 4)
            lexer.advance()
            if declares and lexer.is_member:
                self.unread.add(lexer.found())
        return 0

    cdef bint begins_member(self) noexcept:
        """Whether the token is a keyword on a line of its own with a name behind it."""
        cdef Lexer lexer = self.lexer
        if not lexer.broken or not (
            lexer.is_word("type", 4) or lexer.is_word("method", 6) or lexer.is_word("error", 5)
        ):
            return False
        return is_letter(lexer.peek())

    cdef bint is_sign(self, str sign) except -1:
        return self.lexer.token == OTHER and self.lexer.found() == sign


def read(str text not None):
    """The tree of a text, its faults, and the names of types that are not in the tree because of them.

    The faults are a list of tuples (at, start, end, which): the offsets of where the fault is to be shown,
    and of the token that was found; which is a key of MESSAGES in fastvarlink.idl.faults. Where there are
    faults, the tree is only what could be made out. The names are None if the text was not read to its end.
    Names that are used are not yet compared with those that are declared.
    """
    cdef Parser parser = Parser(text)
    cdef Interface interface = parser.interface()
    return interface, parser.faults, None if parser.stopped else parser.unread


cdef bint is_interface_name(str name) noexcept:
    """Whether a name has two parts at least, of letters, digits and inner hyphens; the first is a letter."""
    cdef Py_UCS4 c
    cdef Py_UCS4 before = u"."
    cdef bint dotted = False
    if not name or not is_letter(name[0]):
        return False
    for c in name:
        if c == u"_" or c > 0x7F:
            return False
        if c == u".":
            dotted = True
        if (before == u"." or before == u"-") and c == u"." or before == u"." and c == u"-":
            return False
        before = c
    return dotted and before != u"." and before != u"-"
