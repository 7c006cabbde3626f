"""`TrafficJunction`: cars that must not collide at a junction, as a parallel env of PettingZoo."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from gymnasium import Space
from gymnasium.spaces import Box, Discrete
from numpy.typing import NDArray

try:
    from pettingzoo import ParallelEnv
except ImportError as _error:
    raise ImportError(
        "TrafficJunction needs pettingzoo: pip install 'reactorrl[multiagent]'"
    ) from _error

GAS, BRAKE = 0, 1
COLLISION_REWARD = -10.0
TIME_REWARD = -0.01

_GRASS, _ROAD, _CRASH = (78, 124, 68), (86, 86, 90), (214, 40, 40)
_PALETTE = np.array(
    [
        (240, 196, 25),
        (66, 165, 245),
        (255, 138, 101),
        (186, 104, 200),
        (77, 208, 225),
        (229, 229, 229),
    ],
    np.uint8,
)
_PIXELS = 16  # of a cell's side


@dataclass(frozen=True)
class Junction:
    """A version of the env.

    Attributes:
        size: Rows and columns of the grid.
        lanes: (is a row, which row or column, +1 or -1 with falling index) of each lane; cars enter
            at the beginning of each.
        n_cars: On the grid at once, at most.
        p_arrive: Probability per lane and step that a car enters, if there is room for one.
        steps: Of an episode.
    """

    size: int
    lanes: Sequence[tuple[bool, int, int]]
    n_cars: int
    p_arrive: float
    steps: int

    def routes(self) -> list[list[tuple[int, int]]]:
        """Return the cells of every route: for each lane straight on, then its turns."""
        found = []
        for lane in self.lanes:
            cells = self._cells(lane)
            found.append(cells)
            for other in self.lanes:
                if other[0] != lane[0]:
                    onto = self._cells(other)
                    crossing = next(cell for cell in cells if cell in onto)
                    here, there = cells.index(crossing), onto.index(crossing)
                    found.append(cells[:here] + onto[there:])
        return found

    def _cells(self, lane: tuple[bool, int, int]) -> list[tuple[int, int]]:
        is_row, index, direction = lane
        along = range(self.size)[::direction]
        return [(index, each) if is_row else (each, index) for each in along]


# Traffic keeps to the right: eastbound below westbound, southbound left of northbound.
VERSIONS = {
    "easy": Junction(7, [(True, 3, 1), (False, 3, 1)], n_cars=5, p_arrive=0.3, steps=20),
    "medium": Junction(
        14,
        [(True, 7, 1), (True, 6, -1), (False, 6, 1), (False, 7, -1)],
        n_cars=10,
        p_arrive=0.2,
        steps=40,
    ),
}


class TrafficJunction(ParallelEnv[str, NDArray[np.float32], int]):
    """Cars follow their routes over a junction; each agent has the gas and the brake of one car.

    A step: every car gives gas (action 0) and moves on by a cell, or brakes (1) and stays. A car
    that gives gas on the last cell of its route leaves. Then, for each lane in turn, a car enters
    with probability `p_arrive`, on a random route of the lane, if an agent is without a car; the
    first such agent drives it; it enters also where another car stands. An agent whose car has just
    left gets none at that step. Cars on one cell have collided; nothing else happens to them.

    An agent's reward is -10 while its car shares a cell, and -0.01 for each step its car has been
    on the grid, at each step; 0 without a car. An episode is truncated after `steps` steps; it is a
    success if no cars collided.

    An observation is float32: whether there is a car (all else is 0 without), whether it braked
    last, its row and its column and its route, one-hot each, and for every cell of the square
    around it how many other cars are there and the sum of the moves (rows, columns) that they would
    make with gas.

    `infos[agent]` has `"active"`, whether the agent has a car, and at the end of an episode
    `"is_success"`.

    Args:
        version: `"easy"`: two one-way roads on 7 x 7 cells, 5 cars, 20 steps; `"medium"`: two
            two-way roads on 14 x 14 cells with 12 routes, 10 cars, 40 steps.
        n_cars: Agents; None for the version's own number.
        p_arrive: None for the version's own.
        vision: Cells that are seen in each direction: 1 is a square of 3 x 3.
        render_mode: None or `"rgb_array"`.

    Attributes:
        collisions: Cars that shared a cell, summed over the steps of the episode so far.

    Raises:
        ValueError: An argument is not one of those named.

    Source:
        Sukhbaatar, Szlam & Fergus (2016), Learning multiagent communication with backpropagation:
        the traffic junction; the versions are those of Singh, Jain & Sukhbaatar (2019), Learning
        when to communicate at scale in multiagent cooperative and competitive tasks.

    Deviations:
        1. Agents are drivers, who stay for the episode and drive one car after another: in
           PettingZoo an agent that has left cannot come back.
        2. Rewards are each car's own. In the paper the total over all cars is shared.
        3. Observations name position and intended move where the papers have one-hot vectors of
           car, location and route for every cell seen. Other cars' identities are not seen.
        4. `p_arrive` stays as it is; the papers raise it while they train.
    """

    metadata: ClassVar[dict[str, Any]] = {
        "name": "traffic_junction",
        "render_modes": ["rgb_array"],
        "render_fps": 5,
    }

    def __init__(
        self,
        version: str = "medium",
        *,
        n_cars: int | None = None,
        p_arrive: float | None = None,
        vision: int = 1,
        render_mode: str | None = None,
    ) -> None:
        if version not in VERSIONS:
            raise ValueError(f"version={version!r}: must be one of {', '.join(VERSIONS)}")
        junction = VERSIONS[version]
        n = junction.n_cars if n_cars is None else n_cars
        self.p_arrive: float = junction.p_arrive if p_arrive is None else p_arrive
        if n < 1:
            raise ValueError(f"n_cars={n}: must be at least 1")
        if not 0 <= self.p_arrive <= 1:
            raise ValueError(f"p_arrive={p_arrive}: must be in [0, 1]")
        if vision < 0:
            raise ValueError(f"vision={vision}: must not be negative")
        if render_mode not in (None, "rgb_array"):
            raise ValueError(f"render_mode={render_mode!r}: must be None or 'rgb_array'")
        self.junction = junction
        self.render_mode = render_mode
        self.possible_agents: list[str] = [f"car_{index}" for index in range(n)]
        self.agents: list[str] = []
        self.np_random: np.random.Generator = np.random.default_rng()
        self.collisions: int = 0
        self._lay_out(vision)
        self._route = np.full(n, -1)  # of each agent's car; -1 without one
        self._position = np.zeros(n, np.int64)  # on its route
        self._age = np.zeros(n, np.int64)  # steps since it entered
        self._braked = np.zeros(n, np.float32)
        self._steps = 0
        width = self._static.shape[2] + 2 + 3 * len(self._window)
        space = Box(-float(n), float(n), (width,))
        self.observation_spaces: dict[str, Space[NDArray[np.float32]]] = dict.fromkeys(
            self.possible_agents, space
        )
        actions = Discrete(2)
        self.action_spaces: dict[str, Space[np.int64]] = dict.fromkeys(
            self.possible_agents, actions
        )

    def _lay_out(self, vision: int) -> None:
        """Work out what is the same in all episodes.

        Cells are numbered on a grid with a margin as wide as `vision`, so that a window of numbers
        around any of them is one sum.
        """
        size, routes = self.junction.size, self.junction.routes()
        self._side = size + 2 * vision
        self._routes_per_lane = len(routes) // len(self.junction.lanes)
        self._lengths = np.array([len(route) for route in routes])
        shape = (len(routes), self._lengths.max())
        self._cell = np.zeros(shape, np.int64)
        self._seen = np.ones((*shape, 3), np.float32)  # what others see: a car, and its move
        self._static = np.zeros((*shape, 2 * size + len(routes)), np.float32)
        for index, route in enumerate(routes):
            cells = np.array(route)
            moves = np.diff(cells, axis=0)
            here = np.arange(len(route))
            self._cell[index, here] = (cells + vision) @ (self._side, 1)
            self._seen[index, here, 1:] = np.concatenate([moves, moves[-1:]])
            self._static[index, here, cells[:, 0]] = 1.0
            self._static[index, here, size + cells[:, 1]] = 1.0
            self._static[index, here, 2 * size + index] = 1.0
        around = np.arange(-vision, vision + 1)
        self._window = (around[:, np.newaxis] * self._side + around).ravel()

    def observation_space(self, agent: str) -> Box:
        """Return the space of an agent's observations: the same object for all."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> Discrete:
        """Return the space of an agent's actions: the same object for all."""
        return self.action_spaces[agent]

    def reset(
        self, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, dict[str, Any]]]:
        """Begin an episode on an empty grid, which cars may enter at once.

        Args:
            seed: Of a fresh generator; None goes on with the one there is.
            options: Not used.
        """
        if seed is not None:
            self.np_random = np.random.default_rng(seed)
        self.agents = self.possible_agents.copy()
        self._route[:] = -1
        self._braked[:] = 0.0
        self._steps = self.collisions = 0
        self._enter(self._route < 0)
        return self._observations(), self._infos()

    def step(
        self, actions: dict[str, int]
    ) -> tuple[
        dict[str, NDArray[np.float32]],
        dict[str, float],
        dict[str, bool],
        dict[str, bool],
        dict[str, dict[str, Any]],
    ]:
        """Make a step; see the class.

        Raises:
            RuntimeError: The episode is over, or none has begun.
            ValueError: An action is missing, or neither 0 nor 1.
        """
        if not self.agents:
            raise RuntimeError("TrafficJunction.step: the episode is over; call reset")
        agents = self.agents
        try:
            chosen = np.array([actions[agent] for agent in agents])
        except KeyError as error:
            raise ValueError(f"actions: there is none for {error}") from None
        brakes = chosen == BRAKE
        if not (brakes | (chosen == GAS)).all():
            raise ValueError(f"actions={actions}: must be 0 (gas) or 1 (brake)")

        has_car = self._route >= 0
        self._position += has_car & ~brakes
        self._braked[:] = brakes
        self._age += 1
        rewards = np.where(has_car, TIME_REWARD * self._age, 0.0)
        self._route[has_car & (self._position >= self._lengths[self._route])] = -1
        self._enter(~has_car)
        collided = self._collided()
        if collided.any():
            rewards[collided] += COLLISION_REWARD
            self.collisions += int(collided.sum())

        self._steps += 1
        is_over = self._steps >= self.junction.steps
        observations, infos = self._observations(), self._infos()
        if is_over:
            for info in infos.values():
                info["is_success"] = self.collisions == 0
            self.agents = []
        return (
            observations,
            dict(zip(agents, rewards.tolist(), strict=True)),
            dict.fromkeys(agents, False),
            dict.fromkeys(agents, is_over),
            infos,
        )

    def state(self) -> NDArray[np.float32]:
        """Return `(n_agents, n_features)`: the observations of all agents, also without cars."""
        has_car = (self._route >= 0).nonzero()[0]
        route, position = self._route[has_car], self._position[has_car]
        cell = self._cell[route, position]
        seen = self._seen[route, position]
        field = np.zeros((self._side**2, 3), np.float32)
        np.add.at(field, cell, seen)
        windows = field[cell[:, np.newaxis] + self._window]
        windows[:, len(self._window) // 2] -= seen
        static = 2 + self._static.shape[2]
        rows = np.zeros((len(self._route), static + 3 * len(self._window)), np.float32)
        rows[has_car, 0] = 1.0
        rows[has_car, 1] = self._braked[has_car]
        rows[has_car, 2:static] = self._static[route, position]
        rows[has_car, static:] = windows.reshape(len(has_car), 3 * len(self._window))
        return rows

    def get_state(self) -> dict[str, Any]:
        """Return all that changes, for `set_state` of an env made alike: copies."""
        return {
            "generator": deepcopy(self.np_random),
            "is_over": not self.agents,
            "cars": np.stack([self._route, self._position, self._age]),
            "braked": self._braked.copy(),
            "steps": self._steps,
            "collisions": self.collisions,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from a state that `get_state` gave."""
        self.np_random = deepcopy(state["generator"])
        self.agents = [] if state["is_over"] else self.possible_agents.copy()
        self._route, self._position, self._age = np.array(state["cars"])
        self._braked = np.array(state["braked"])
        self._steps = state["steps"]
        self.collisions = state["collisions"]

    def render(self) -> NDArray[np.uint8] | None:
        """Return the grid from above, `(rows, columns, 3)` uint8; None without a render mode."""
        if self.render_mode is None:
            return None
        image = np.full((self._side**2, 3), _GRASS, np.uint8)
        on_route = np.arange(self._cell.shape[1]) < self._lengths[:, np.newaxis]
        image[self._cell[on_route]] = _ROAD
        pixels = self._magnified(image)
        has_car = (self._route >= 0).nonzero()[0]
        cells = self._cell[self._route[has_car], self._position[has_car]]
        crashed = self._collided()[has_car]
        margin = _PIXELS // 5
        for cell, agent, is_crash in zip(cells.tolist(), has_car.tolist(), crashed, strict=True):
            top, left = (_PIXELS * each + margin for each in divmod(cell, self._side))
            inner = slice(top, top + _PIXELS - 2 * margin), slice(left, left + _PIXELS - 2 * margin)
            pixels[inner] = _CRASH if is_crash else _PALETTE[agent % len(_PALETTE)]
        edge = _PIXELS * (self._side - self.junction.size) // 2
        return pixels[edge : len(pixels) - edge, edge : len(pixels) - edge].copy()

    def _magnified(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        grid = image.reshape(self._side, self._side, 3)
        return grid.repeat(_PIXELS, axis=0).repeat(_PIXELS, axis=1)

    def _enter(self, is_free: NDArray[np.bool_]) -> None:
        """Let cars enter; all random numbers of a step are drawn here, whatever becomes of them."""
        lanes = len(self.junction.lanes)
        arrives = self.np_random.random(lanes) < self.p_arrive
        turns = self.np_random.integers(self._routes_per_lane, size=lanes)
        drivers = is_free.nonzero()[0]
        entering = arrives.nonzero()[0][: len(drivers)]
        drivers = drivers[: len(entering)]
        self._route[drivers] = entering * self._routes_per_lane + turns[entering]
        self._position[drivers] = 0
        self._age[drivers] = 0
        self._braked[drivers] = 0.0

    def _collided(self) -> NDArray[np.bool_]:
        """Return `(n_agents,)`: whose car shares a cell."""
        has_car = (self._route >= 0).nonzero()[0]
        cells = self._cell[self._route[has_car], self._position[has_car]]
        result = np.zeros(len(self._route), np.bool_)
        if len(cells) > 1:
            result[has_car] = np.bincount(cells)[cells] > 1
        return result

    def _observations(self) -> dict[str, NDArray[np.float32]]:
        return dict(zip(self.possible_agents, self.state(), strict=True))

    def _infos(self) -> dict[str, dict[str, Any]]:
        active = (self._route >= 0).tolist()
        return {
            agent: {"active": is_active}
            for agent, is_active in zip(self.possible_agents, active, strict=True)
        }
