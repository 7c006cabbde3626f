"""Runs notebooks in kernels of this interpreter; as a script, writes their outputs into them.

`python tests/notebooks.py examples/*.ipynb` is how the outputs that GitHub shows get there. Tags of
cells say what a run has to know: `parameters` (numbers that a test replaces by smaller ones),
`interrupt` (■ is pressed once the cell has printed something), `raises-exception`, and `varies`
(what comes out depends on the machine, so that nothing is compared).
"""

import asyncio
import json
import os
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete
from nbclient.util import ensure_async

ROOT = Path(__file__).resolve().parents[1]
CELL_SECONDS = 100
STORED_SECONDS = 600  # where nothing is made shorter
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def environment(folder):
    """Variables under which `python3` is this interpreter, and nothing of the user's is touched."""
    spec = folder / "kernels" / "python3"
    spec.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec.joinpath("kernel.json").write_text(json.dumps({"argv": argv, **KERNEL}))
    path = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    return {
        "JUPYTER_PATH": str(folder),
        "PYTHONPATH": os.pathsep.join(path),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # or the debugger's part says so at each start
        **{name: str(folder / name.lower()) for name in own},
    }


class Reader(NotebookClient):
    """Somebody who runs one cell after the other, and presses ■ where a cell is tagged so."""

    _interrupted = None
    _pressing = None

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._sent = {}

    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        # The base class drops what a program in the background prints once its cell has ended.
        self._sent[parent_msg_id] = cell, cell_index
        while True:
            message = await ensure_async(self.kc.iopub_channel.get_msg(timeout=None))
            sent = self._sent.get(message["parent_header"].get("msg_id"))
            try:
                if sent is not None:
                    self.process_message(message, *sent)
            except CellExecutionComplete:
                return

    def process_message(self, msg, cell, cell_index):
        if (
            msg["msg_type"] == "stream"
            and "interrupt" in tags(cell)
            and self._interrupted != cell_index
        ):
            self._interrupted = cell_index
            self._pressing = asyncio.ensure_future(self.km.interrupt_kernel())
        return super().process_message(msg, cell, cell_index)


def tags(cell):
    return cell.metadata.get("tags", [])


def execute(notebook, folder, *, parameters=None, last=None, seconds=CELL_SECONDS):
    """Run a notebook in a fresh kernel and return it with its outputs.

    Args:
        notebook: As read by nbformat; it is changed.
        folder: Working directory of the kernel.
        parameters: Source of a cell to be run after the one tagged `parameters`.
        last: Source of a cell to be run at the end.
        seconds: That a cell may take.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised.
    """
    if parameters is not None:
        (index,) = [i for i, cell in enumerate(notebook.cells) if "parameters" in tags(cell)]
        notebook.cells.insert(index + 1, nbformat.v4.new_code_cell(parameters))
    if last is not None:
        notebook.cells.append(nbformat.v4.new_code_cell(last))
    reader = Reader(
        notebook,
        timeout=seconds,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )
    return reader.execute()


def normalised(notebook):
    """The notebook as it is committed: nothing in it of the run's time, machine or folders."""
    notebook.metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata = {"tags": cell.metadata.tags} if tags(cell) else {}
        if cell.cell_type == "code":
            cell.outputs = list(_normalised_outputs(cell.outputs))
    return notebook


def _normalised_outputs(outputs):
    streams = {}
    for output in outputs:
        if output.output_type == "stream":
            if output.name in streams:
                streams[output.name].text += output.text
                continue
            streams[output.name] = output
        if output.output_type == "error":
            output.traceback = [line.replace(f"{ROOT}/", "") for line in output.traceback]
        if "data" in output:
            output.metadata = {}
            if "application/vnd.jupyter.widget-view+json" in output.data:
                continue  # there is nothing to see without a kernel
        yield output


def printed(cell):
    """What a cell put out, as text: streams, the plain form of values, errors by their message."""
    texts = []
    for output in cell.outputs:
        if output.output_type == "stream":
            texts.append(output.text)
        elif output.output_type == "error":
            texts.append(f"{output.ename}: {output.evalue}\n")
        elif not any(kind.startswith("image/") for kind in output.data):
            texts.append(output.data["text/plain"] + "\n")
    return re.sub(r"0x[0-9a-f]+", "0x", "".join(texts))


def main(paths):
    with tempfile.TemporaryDirectory() as folder:
        os.environ.update(environment(Path(folder)))
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            nbformat.write(normalised(execute(notebook, folder, seconds=STORED_SECONDS)), path)
            print(f"{path}: {Path(path).stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
