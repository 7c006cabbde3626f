"""The ids `reactorrl/<id>` in Gymnasium's registry, which is not imported for their sake."""

from __future__ import annotations

import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

NAMESPACE = "reactorrl"
ENTRY_POINT = "reactorrl.vector.make:make_registered"


def register_ids() -> None:
    """Register `reactorrl/<id>` for every env id without a namespace that has none yet.

    It happens by itself once both packages are imported; call it for ids registered later.
    `gymnasium.make_vec("reactorrl/<id>", n)` then makes a `ReactorVectorEnv`.
    """
    from gymnasium.envs.registration import register, registry  # noqa: PLC0415 - see above

    for spec in list(registry.values()):
        name = f"{NAMESPACE}/{spec.id}"
        if spec.namespace is None and spec.entry_point is not None and name not in registry:
            register(
                name,
                vector_entry_point=ENTRY_POINT,
                kwargs={"env_id": spec.id},
                max_episode_steps=spec.max_episode_steps,
                reward_threshold=spec.reward_threshold,
                nondeterministic=spec.nondeterministic,
            )


def register_ids_with_gymnasium() -> None:
    """Now if Gymnasium is imported, else as soon as it has been."""
    if "gymnasium" in sys.modules:
        register_ids()
    else:
        sys.meta_path.insert(0, _AfterGymnasium())


class _AfterGymnasium(MetaPathFinder):
    """Adds a step to the first import of Gymnasium, which others find."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> ModuleSpec | None:
        if name != "gymnasium":
            return None
        others = (finder for finder in sys.meta_path if finder is not self)
        found = (finder.find_spec(name, path, target) for finder in others)
        spec = next((each for each in found if each is not None), None)
        loader: Any = spec and spec.loader
        if loader is None:
            return spec
        exec_module = loader.exec_module

        def exec_and_register(module: Any) -> None:
            exec_module(module)
            sys.meta_path.remove(self)
            register_ids()

        loader.exec_module = exec_and_register
        return spec
