"""Experiments: who is treated (`assigning`), how many it takes (`power`), and what it changed (`measuring`).

For campaigns::

    from patron.intelligence.mining.experimenting.assigning import assign, balance
    from patron.intelligence.mining.experimenting.measuring import measure
    from patron.intelligence.mining.experimenting.observations import Observations
    from patron.intelligence.mining.experimenting.parameters import ExperimentParameters

    groups = assign(customers, experiment="spring-coffee", shares={"coffee": 0.8, "control": 0.2}, strata=stages)
    …
    seen = Observations.of(group, spent, before=spent_before, cost=cost)
    found = measure(seen, ExperimentParameters(margin_share=0.3))
"""
