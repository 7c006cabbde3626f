"""Tags and pending events of the reference interpreter: actions, delayed connections, timers."""

MAX_TIME = 2**63 - 1


def later(tag, delay):
    """The tag that `delay` after `tag` means: 0 is one microstep, more resets the microstep."""
    time, microstep = tag
    if delay == 0:
        return (time, microstep + 1)
    if time + delay >= MAX_TIME:
        raise OverflowError("past the end of time")
    return (time + delay, 0)


def resumed(tag, left, entered):
    """When an event comes that was suspended at `left` and goes on at `entered`."""
    if tag[0] > left[0]:
        return (entered[0] + tag[0] - left[0], tag[1])
    return (entered[0], entered[1] + tag[1] - left[1])


class Event:
    """A pending event of an action; also the handle of it. tag None: dropped."""

    def __init__(self, tag, value):
        self.tag, self.value = tag, value


class Queue:
    """What is to come of one element, and the innermost mode that encloses it."""

    def __init__(self, spec, mode):
        self.spec, self.mode = spec, mode
        self.pending = {}  # tag -> Event
        self.is_cut = False  # an event was dropped because it came past the stop tag

    @property
    def is_suspended(self):
        return self.mode is not None and not self.mode.is_active

    def place(self, event, stop):
        """Enter `event` under its tag, or drop it past the stop tag.

        Then something was to come, and the program does not starve any more: for timers, for what
        is scheduled, for resumed events, and also when their mode is left afterwards.
        """
        if event.tag > stop:
            self.is_cut = True
        else:
            self.pending[event.tag] = event

    def resume(self, left, entered, stop):
        suspended, self.pending = self.pending, {}
        for event in suspended.values():
            event.tag = resumed(event.tag, left, entered)
            self.place(event, stop)

    def forget(self):
        self.pending = {}


class ActionQueue(Queue):
    """The pending events of one action, or of one delayed connection, and the spacing policy."""

    def __init__(self, spec, mode=None):
        super().__init__(spec, mode)
        self.last = None  # the tag last given to an event, handled, cancelled or not

    def schedule(self, now, stop, delay, value):
        spec = self.spec
        tag, floor, removed = later(now, spec.min_delay + delay), now, None
        if spec.min_spacing is not None and self.last is not None:
            earliest = self.last[0] + spec.min_spacing
            is_early = earliest > tag[0] or (earliest == tag[0] and spec.min_spacing == 0)
            is_pending = self.last in self.pending
            if is_early and spec.policy == "drop":
                return Event(None, value)
            if is_early and spec.policy == "replace" and is_pending:
                self.pending[self.last].value = value
                return self.pending[self.last]
            if is_early and spec.policy == "update":
                removed = self.pending.pop(self.last, None)
            elif is_early:
                tag, floor = (earliest, 0), max(now, self.last)
        while tag in self.pending or tag <= floor:
            tag = (tag[0], tag[1] + 1)
        if tag > stop:
            self.is_cut = True
            if removed is not None:  # a dropped call has no effect
                self.pending[removed.tag] = removed
            return Event(None, value)
        self.last = tag
        self.pending[tag] = Event(tag, value)
        return self.pending[tag]

    def cancel(self, event):
        if event.tag is None or self.pending.get(event.tag) is not event:
            return False
        del self.pending[event.tag]
        return True

    def resume(self, left, entered, stop):
        if self.last in self.pending:
            # Also when that event comes past the stop tag and is dropped.
            self.last = resumed(self.last, left, entered)
        elif self.last is not None:
            # Of an event that came before: the times move, the microstep stays what it was.
            self.last = (self.last[0] + entered[0] - left[0], self.last[1])
        super().resume(left, entered, stop)

    def forget(self):
        super().forget()
        self.last = None


class TimerQueue(Queue):
    def __init__(self, spec, mode=None):
        super().__init__(spec, mode)
        self.is_fresh = True  # starts with its offset, whatever the transition

    def start(self, tag, stop):
        self.is_fresh = False
        self.place(Event(tag, True), stop)

    def rearm(self, tag, stop):
        if self.spec.period:
            self.place(Event(later(tag, self.spec.period), True), stop)

    def forget(self):
        super().forget()
        self.is_fresh = True
