"""The reactors of a described program, elaborated for the reference interpreter."""

import model
from model import Ref
from reference_modes import ModeState


class Instance:
    """One reactor, elaborated. A port is (path, name, channel); other elements (path, name)."""

    def __init__(self, spec, path, mode=None, enclave=None):
        self.spec, self.path = spec, path
        self.mode = mode  # the innermost that encloses it
        self.enclave = enclave or path
        self.memory = model.Memory()
        self.initial = next((m.name for m in spec.modes if m.is_initial), None)
        self.current = self.initial
        self.modes = {m.name: ModeState(self, m.name, mode) for m in spec.modes}
        self.ports = {p.name: [(path, p.name, i) for i in range(1 if p.width is None else p.width)]
                      for p in (*spec.inputs, *spec.outputs)}  # fmt: skip
        self.is_multiport = {p.name: p.width is not None for p in (*spec.inputs, *spec.outputs)}
        self.children = {}
        for child in spec.children:
            index = [""] if child.members is None else [f"[{i}]" for i in range(child.members)]
            self.children[child.name] = [
                Instance(
                    child.reactor, f"{path}.{child.name}{i}", self.mode_of(child),
                    None if child.is_enclave else self.enclave,
                )
                for i in index
            ]  # fmt: skip

    def mode_of(self, element):
        """The innermost mode that encloses an element of this reactor, or None."""
        return self.mode if element.mode is None else self.modes[element.mode]

    def walk(self):
        """Depth first, in order of assignment and bank index: the static order."""
        yield self
        for members in self.children.values():
            for member in members:
                yield from member.walk()

    def channels(self, ref):
        owners = [self] if ref.child is None else self.children[ref.child]
        if ref.member is not None:
            owners = [owners[ref.member]]
        grid = [owner.ports[ref.name] for owner in owners]
        if ref.is_interleaved:
            grid = list(zip(*grid, strict=True))
        found = [channel for row in grid for channel in row]
        return found if ref.channel is None else [found[ref.channel]]

    def shows_tuple(self, ref):
        """Whether reading `ref` gives one value for each channel, rather than one value."""
        if ref.channel is not None:
            return False
        is_bank = ref.child is not None and ref.member is None and self.child_is_bank(ref.child)
        owner = self if ref.child is None else self.children[ref.child][0]
        return is_bank or owner.is_multiport[ref.name]

    def child_is_bank(self, name):
        return next(c.members for c in self.spec.children if c.name == name) is not None


def is_port(instance, ref):
    return isinstance(ref, Ref) and (ref.child is not None or ref.name in instance.ports)


def is_own_output(instance, ref):
    return ref.child is None and any(p.name == ref.name for p in instance.spec.outputs)
