"""Modes in the reference interpreter: which is current, what a transition does to its events."""

from model import RESET, STARTUP
from reference_queues import TimerQueue, later


class ModeState:
    """One mode of one reactor. `outer`: the innermost mode that encloses the reactor, or None."""

    def __init__(self, instance, name, outer):
        self.instance, self.name, self.outer = instance, name, outer
        self.was_active = False
        self.left = None  # the tag at which it was last left
        self.owes_reset = False  # a transition by reset whose effects wait until it is active

    @property
    def is_active(self):
        """Effectively: it and all modes around it are current."""
        is_current = self.instance.current == self.name
        return is_current and (self.outer is None or self.outer.is_active)

    def and_outer(self):
        yield self
        if self.outer is not None:
            yield from self.outer.and_outer()


class Modes:
    """The modes of one enclave."""

    def __init__(self, instances, queues, reactions):
        self.instances, self.queues = instances, queues  # an outer instance before its inner ones
        self.states = [state for x in instances for state in x.modes.values()]
        self.triggers = {
            (trigger, mode) for _, r, mode in reactions for trigger in r.triggers if mode
        }
        self.entries = {}  # tag -> {(RESET or STARTUP, mode)}: what is present then
        for state in self.states:
            state.was_active = state.is_active

    def change(self, tag, stop, wanted):
        """At the end of `tag`; wanted: instance -> the Transition that it set last."""
        before = {state for state in self.states if state.is_active}
        reset_now = set()
        for x in self.instances:
            enclosing = set(x.mode.and_outer()) if x.mode else set()
            # A reset of a mode around it puts the initial mode back, whatever is set in it.
            if x not in wanted or enclosing & reset_now:
                continue
            state = x.modes[wanted[x].mode]
            if not wanted[x].is_history:
                self.reset(state)
                reset_now.add(state)
            x.current = state.name
        after = [state for state in self.states if state.is_active]
        for state in before - set(after):
            state.left = tag
        for state in after:
            by_reset = any(s.owes_reset for s in state.and_outer())
            if by_reset or state not in before:
                self.enter(state, tag, stop, by_reset=by_reset)
        for state in after:
            state.owes_reset = False

    def reset(self, state):
        """Discards what is to come in the mode and in all that it encloses."""
        self.forget(state)
        state.owes_reset = True
        for x in self.instances:
            if x.mode is not None and state in x.mode.and_outer():
                x.current = x.initial
                for inner in x.modes.values():
                    # Those that stay inactive get no `reset` from this transition: later they are
                    # entered as their own transition says, only without anything from before, and
                    # their timers start with the offset.
                    inner.owes_reset = False
                    self.forget(inner)

    def forget(self, state):
        for queue in self.queues:
            if queue.mode is state:
                queue.forget()

    def enter(self, state, tag, stop, *, by_reset):
        is_first = not state.was_active
        state.was_active = True
        for queue in self.queues:
            if queue.mode is not state:
                continue
            if isinstance(queue, TimerQueue) and queue.is_fresh:
                queue.start(later(tag, queue.spec.offset), stop)
            elif not by_reset:
                queue.resume(state.left, tag, stop)
        kinds = [RESET] * by_reset + [STARTUP] * is_first
        present = {(kind, state) for kind in kinds} & self.triggers
        if present:
            self.entries.setdefault(later(tag, 0), set()).update(present)
