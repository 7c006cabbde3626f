"""The paper's parallel Q-learning: rollouts, a replay, a learner, one round after the other."""
