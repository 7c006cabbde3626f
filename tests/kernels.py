"""A Jupyter kernel of this interpreter that a test talks to, cell by cell."""

import queue
import time

from jupyter_client import KernelManager

SECONDS = 60


class Cell:
    """A cell that was sent to the kernel.

    Attributes:
        streams: What was printed, by stream.
        displays: MIME bundles that were shown, in order; those with a display_id once, the newest.
        result: MIME bundle of the last line's value, or None.
        error: (name, text, traceback) or None.
        is_done: Whether the kernel has answered.
    """

    def __init__(self, kernel, message_id):
        self._kernel, self.message_id = kernel, message_id
        self.streams = {"stdout": "", "stderr": ""}
        self.displays, self._display_ids = [], {}
        self.result = self.error = None
        self.n_updates = 0
        self.is_done = False

    @property
    def out(self):
        return self.streams["stdout"]

    def until(self, text):
        """Wait until this has been printed, by the cell or by what it started."""
        self._kernel.pump(lambda: text in self.out)
        return self

    def end(self):
        """Wait for its end."""
        self._kernel.pump(lambda: self.is_done)
        return self

    def take(self, kind, content):
        if kind == "stream":
            self.streams[content["name"]] += content["text"]
        elif kind == "display_data":
            self._display_ids[content["transient"].get("display_id")] = len(self.displays)
            self.displays.append(content["data"])
        elif kind == "update_display_data":
            self.n_updates += 1
            self.displays[self._display_ids[content["transient"]["display_id"]]] = content["data"]
        elif kind == "execute_result":
            self.result = content["data"]
        elif kind == "error":
            self.error = content["ename"], content["evalue"], "\n".join(content["traceback"])
        elif kind == "status" and content["execution_state"] == "idle":
            self.is_done = True


class Kernel:
    """A kernel and the cells that it was sent; leaving the block ends it."""

    def __init__(self, folder):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)
        self.cells = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def send(self, source):
        """Send a cell and return at once."""
        cell = Cell(self, self.client.execute(source))
        self.cells[cell.message_id] = cell
        return cell

    def run(self, source):
        """Run a cell; fails where it raises."""
        cell = self.send(source).end()
        assert cell.error is None, cell.error[2]
        return cell

    def fails(self, source):
        """Run a cell that raises."""
        cell = self.send(source).end()
        assert cell.error is not None, cell.out
        return cell

    def interrupt(self):
        """Press ■."""
        self.manager.interrupt_kernel()

    def pump(self, is_enough, seconds=SECONDS, *, fails=True):
        """Take what the kernel sends to its cells, until that is enough; bounded."""
        end = time.monotonic() + seconds
        while not is_enough():
            try:
                message = self.client.get_iopub_msg(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                assert not fails, f"nothing more for {seconds} s"
                return
            cell = self.cells.get(message["parent_header"].get("msg_id"))
            if cell is not None:
                cell.take(message["msg_type"], message["content"])
