"""Diagrams in the languages of others: Mermaid and DOT."""

from __future__ import annotations

from .diagram import Graph, Item, walk

_RED = "#d1242f"
_MERMAID_SHAPES = {
    "reaction": '{{"%s"}}',
    "timer": '[/"%s"/]',
    "logical": '>"%s"]',
    "physical": '>"%s"]',
    "entry": '>"%s"]',
    "startup": '(("%s"))',
    "shutdown": '(("%s"))',
    "reset": '(("%s"))',
}
_MERMAID_ARROWS = {"use": "-.->", "delayed": "-.->", "physical": "-.->", "transition": "==>"}
# "#" first, as the others make some. In backticks would be Markdown, behind two "%" a directive.
_MERMAID_ENTITIES = {
    "#": "35",
    "&": "amp",
    '"': "quot",
    "<": "lt",
    ">": "gt",
    "`": "96",
    "%": "37",
}
_DOT_SHAPES = {
    "reaction": "cds",
    "timer": "circle",
    "logical": "triangle",
    "physical": "invtriangle",
    "startup": "doublecircle",
    "shutdown": "doublecircle",
    "reset": "doublecircle",
    "entry": "rarrow",
}
_DOT_BORDERS = {"reactor": "solid", "enclave": "dashed", "mode": "rounded"}
_DASHED = ("use", "delayed", "physical")


def mermaid(graph: Graph) -> str:
    """Return a Mermaid flowchart; colours are left to the theme, but for those of loops."""
    lines = ["flowchart LR"]
    for depth, box, is_end in walk(graph.boxes):
        indent = "  " * (depth + 1)
        if is_end:
            lines.append(f"{indent}end")
            continue
        lines.append(f'{indent}subgraph {box.key}["{_in_mermaid(box.title)}"]')
        lines.append(f"{indent}  direction LR")
        for item in box.items.values():
            shape = _MERMAID_SHAPES.get(item.kind, '(["%s"])')
            text = "<br/>".join(map(_in_mermaid, filter(None, (item.label, item.note))))
            lines.append(f"{indent}  {item.key}{shape % text}")
    for edge in graph.edges:
        text = f'|"{_in_mermaid(edge.label)}"|' if edge.label else ""
        arrow = _MERMAID_ARROWS.get(edge.kind, "-->")
        lines.append(f"  {edge.source.key} {arrow}{text} {edge.target.key}")
    for box in graph.boxes:
        dashes = ",stroke-dasharray:6 4" if box.kind == "enclave" else ""
        lines.append(f"  style {box.key} fill:none{dashes}")
    if graph.has_loop:
        lines += [
            f"  style {item.key} stroke:{_RED},stroke-width:3px" for item in _items_in_loops(graph)
        ]
        numbers = (str(i) for i, edge in enumerate(graph.edges) if edge.is_in_loop)
        lines.append(f"  linkStyle {','.join(numbers)} stroke:{_RED},stroke-width:3px")
    return "\n".join(lines) + "\n"


def dot(graph: Graph) -> str:
    """Return a Graphviz digraph."""
    lines = ["digraph program {", "  rankdir=LR", "  node [fontname=Helvetica, fontsize=10]"]
    lines.append("  edge [fontname=Helvetica, fontsize=9]")
    for depth, box, is_end in walk(graph.boxes):
        indent = "  " * (depth + 1)
        if is_end:
            lines.append(f"{indent}}}")
            continue
        lines.append(f"{indent}subgraph cluster_{box.key} {{")
        lines.append(f'{indent}  label="{_in_dot(box.title)}"; style={_DOT_BORDERS[box.kind]}')
        for item in box.items.values():
            shape = _DOT_SHAPES.get(item.kind, "plaintext")
            red = f', color="{_RED}", penwidth=2' if item.is_in_loop else ""
            lines.append(
                f'{indent}  {item.key} [shape={shape}, label="{_in_dot(item.caption)}"{red}]'
            )
    for edge in graph.edges:
        is_bold = edge.kind == "transition"
        style = "bold" if is_bold else "dashed" if edge.kind in _DASHED else "solid"
        red = f', color="{_RED}", penwidth=2' if edge.is_in_loop else ""
        lines.append(
            f"  {edge.source.key} -> {edge.target.key}"
            f' [style={style}, label="{_in_dot(edge.label)}"{red}]'
        )
    return "\n".join([*lines, "}"]) + "\n"


def _items_in_loops(graph: Graph) -> list[Item]:
    return [item for box in graph.boxes for item in box.items.values() if item.is_in_loop]


def _in_mermaid(text: str) -> str:
    for character, name in _MERMAID_ENTITIES.items():
        text = text.replace(character, f"#{name};")
    return text


def _in_dot(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
