# cython: language_level=3str
"""The types of an interface definition: structs, enums, and what is made of them."""

from fastvarlink._core.lexer cimport (
    ARRAY,
    CLOSE,
    COLON,
    COMMA,
    END,
    MAP,
    OPEN,
    QUESTION,
    WORD,
    Lexer,
    Token,
)
from fastvarlink._core.reading cimport MAX_PARTS, Reading
from fastvarlink._core.tree cimport (
    MAX_DEPTH,
    Array,
    Enum,
    EnumValue,
    Field,
    Map,
    Named,
    Nullable,
    Struct,
)
from fastvarlink._core.reading import Skip
from fastvarlink._core.tree import Primitive

cdef object BOOL = Primitive.BOOL
cdef object INT = Primitive.INT
cdef object FLOAT = Primitive.FLOAT
cdef object STRING = Primitive.STRING
cdef object OBJECT = Primitive.OBJECT
cdef object ANY = Primitive.ANY


cdef class TypeReading(Reading):
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
