# cython: language_level=3str, nonecheck=True
"""Names that are declared, and names that are used: what must be true of a tree beyond its grammar."""

cimport cython

from fastvarlink._core.tree cimport (
    MAX_DEPTH,
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

cdef object PRIMITIVE = Primitive


@cython.final
cdef class NameWalk:
    def __init__(self):
        self.found = []
        self.references = []
        self.inside = {}

    cdef int interface(self, Interface interface) except -1:
        cdef dict declared = {}
        cdef Method method
        cdef TypeDeclaration declaration
        for member in interface.members:
            if declared.setdefault(member.name, member) is not member:
                self.found.append((member.at, "second member", member.name))
            if type(member) is Method:
                method = <Method> member
                self.struct(method.input)
                self.struct(method.output)
            elif type(member) is Error:
                self.struct((<Error> member).type)
            else:
                declaration = <TypeDeclaration?> member
                self.contained = []
                self.type(declaration.type)
                if self.contained:
                    self.inside[declaration.name] = self.contained
                self.contained = None
        if self.references:
            self.check_references(declared)
            self.check_containment(declared)
        return 0

    cdef int type(self, object of) except -1:
        cdef list contained = self.contained
        if type(of) is PRIMITIVE:
            return 0
        while True:
            if type(of) is Nullable:
                of = (<Nullable> of).element
            elif type(of) is Array:
                of = (<Array> of).element
            elif type(of) is Map:
                of = (<Map> of).element
            else:
                break
            self.contained = None
        if type(of) is Named:
            self.references.append(of)
            if self.contained is not None:
                self.contained.append((<Named> of).name)
        elif type(of) is Struct:
            self.struct(<Struct> of)
        elif type(of) is Enum:
            names = set()
            for value in (<Enum> of).values:
                if (<EnumValue?> value).name in names:
                    self.found.append(((<EnumValue> value).at, "second value", (<EnumValue> value).name))
                names.add((<EnumValue> value).name)
        self.contained = contained
        return 0

    cdef int struct(self, Struct struct) except -1:
        cdef Field field
        cdef set names = set()
        if self.depth == MAX_DEPTH:
            # Such a tree is refused elsewhere; here it must not use up the stack.
            return 0
        self.depth += 1
        for field in struct.fields:
            if field.name in names:
                self.found.append((field.at, "second field", field.name))
            names.add(field.name)
            self.type(field.type)
        self.depth -= 1
        return 0

    cdef int check_references(self, dict declared) except -1:
        cdef set seen = set()
        cdef Named named
        for named in self.references:
            if named.name in seen:
                continue
            seen.add(named.name)
            member = declared.get(named.name)
            if member is None:
                self.found.append((named.at, "undeclared", named.name))
            elif type(member) is not TypeDeclaration:
                self.found.append((named.at, "not a type", named.name))
        return 0

    cdef int check_containment(self, dict declared) except -1:
        """Find structs that contain themselves other than in a nullable, an array or a map."""
        # Depth first, with a stack of our own: declarations may form a chain of any length.
        cdef set finished = set()
        cdef set reported = set()
        cdef dict path
        for root in self.inside:
            if root in finished:
                continue
            path = {root: iter(self.inside[root])}
            while path:
                current = next(reversed(path))
                name = next(path[current], None)
                if name is None:
                    finished.add(current)
                    del path[current]
                elif name in path:
                    if name in reported:
                        continue
                    reported.add(name)
                    self.found.append((declared[name].at, "contains itself", name))
                elif name in self.inside and name not in finished:
                    path[name] = iter(self.inside[name])
        return 0


def check(Interface interface not None):
    """What is wrong with the names of an interface (rules I3, I4): tuples (offset, which, name).

    which is "second member", "second field", "second value", "undeclared", "not a type" or "contains itself".
    """
    cdef NameWalk walk = NameWalk()
    walk.interface(interface)
    return walk.found
