"""Every rule has tests, every test of this folder a rule, and every test the workers it needs."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest
from rules import RULES

HERE = Path(__file__).parent
TESTS = HERE.parent

CHOOSES_THE_WORKERS_ITSELF = {
    "test_assembly.test_a_failed_assembly_runs_nothing",
    "test_deadlines.test_the_most_urgent_reaction_of_a_level_comes_first",
    "test_options.test_affinity_changes_nothing_that_a_program_shows",
    "test_ports.test_a_reaction_without_a_path_to_another_does_not_wait_for_it",
    "test_running.test_there_may_be_many_more_workers_than_processors",
    "test_running.test_trace_hash_is_equal_for_equal_behaviour_and_every_number_of_workers",
}


RUN = {"run", "rr.run", "running"}


def calls(function):
    """What a function calls, by name."""
    return {ast.unparse(node.func) for node in ast.walk(function) if isinstance(node, ast.Call)}


@cache
def runners(module):
    """The functions that run a program: those of `programs` and of the module itself."""
    found = {*RUN, "placed"}
    for node in ast.parse((HERE / f"{module}.py").read_text()).body:
        if isinstance(node, ast.FunctionDef) and calls(node) & found:
            found.add(node.name)
    return found


@cache
def functions(module):
    """The test functions of a module by name, or those of a C file as a set of names."""
    if module.startswith("c/"):
        text = (TESTS / f"{module}.c").read_text()
        return set(re.findall(r"^static void (\w+)\(", text, re.MULTILINE))
    file = next(f for f in (HERE / f"{module}.py", TESTS / f"{module}.py") if f.exists())
    return {
        node.name: node
        for node in ast.parse(file.read_text()).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def own_tests():
    """module.name of every test in this folder but for these."""
    modules = sorted(file.stem for file in HERE.glob("test_*.py") if file.stem != "test_coverage")
    return [f"{module}.{name}" for module in modules for name in functions(module)]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_one_sentence_and_its_tests_exist(name):
    """A rule says one thing, and names at least one test; what it names is there."""
    text, tests = RULES[name]
    assert text.endswith(".")
    assert ". " not in text
    assert tests
    for test in tests:
        module, function = test.split(".")
        assert function in functions(module), test


def test_every_test_holds_a_rule():
    """What no rule names is not part of the semantics, or a rule is missing."""
    named = {test for rule in RULES.values() for test in rule.tests}
    assert [test for test in own_tests() if test not in named] == []


@pytest.mark.parametrize("test", own_tests())
def test_what_runs_a_program_runs_it_for_every_number_of_workers(test):
    """A test that runs a program takes `workers`: 1, 2 and 4."""
    module, name = test.split(".")
    function = functions(module)[name]
    runs = calls(function) & runners(module)
    takes = {argument.arg for argument in function.args.args}
    if test in CHOOSES_THE_WORKERS_ITSELF:
        assert "workers" not in takes
    else:
        assert not runs or "workers" in takes, f"{test} calls {runs}"
