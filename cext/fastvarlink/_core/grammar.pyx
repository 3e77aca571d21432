# cython: language_level=3str
"""From the tokens of an interface definition to its syntax tree, by recursive descent.

A fault does not end the walk: it goes on behind the field, the struct or the member that has the fault, so
that all faults of a text are found. What is read from there on is only good for finding more of them.

Accepted beyond the specification's grammar, as all readers agree on what it means: members without a line end
between them, and a last comment without one.
"""

cimport cython

from fastvarlink._core.lexer cimport ARROW, END, OPEN, WORD, Lexer, is_letter
from fastvarlink._core.reading cimport MAX_MEMBERS
from fastvarlink._core.structs cimport TypeReading
from fastvarlink._core.tree cimport Error, Interface, Method, Struct, TypeDeclaration
from fastvarlink._core.reading import Skip


@cython.final
cdef class Parser(TypeReading):
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
