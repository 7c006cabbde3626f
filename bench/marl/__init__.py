"""The paper's multi-agent inference: a traffic junction whose cars each have a policy."""
