"""Groups of customers: each part against a reference, the whole on data whose groups are known, and bad input."""

import datetime as dt
import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import fcluster, linkage
from sklearn.metrics import adjusted_rand_score, silhouette_score
from sklearn.mixture import GaussianMixture

from patron.intelligence.mining.clustering.choice import Candidate, adjusted_rand, chosen, pairwise, silhouette
from patron.intelligence.mining.clustering.groupings import Fitting
from patron.intelligence.mining.clustering.matrix import Treatment, prepare_features
from patron.intelligence.mining.clustering.profit_table import (
    SegmentSums,
    TreatmentRules,
    segment_profit_table,
    segment_sums,
)
from patron.intelligence.mining.clustering.ward import ward_groups
from patron.intelligence.mining.errors import InputError, ParameterError
from patron.intelligence.mining.models.clusters import MODEL, ClusterParameters
from patron.intelligence.mining.rows import Rows

AS_OF = dt.date(2026, 1, 1)
METHODS = ("kmeans", "mixture", "ward")

#: The frequent-flyer table as it was published: cluster, revenue %, customers %, product index, leverage, months.
PUBLISHED = (
    (5, 34.74, 8.82, 1.77, 3.94, 60.92, "retain"),
    (6, 26.13, 23.47, 1.41, 1.11, 57.87, "cross_up_sell"),
    (7, 21.25, 10.71, 1.64, 1.98, 63.52, "retain"),
    (3, 6.62, 23.32, 0.73, 0.28, 47.23, "low_cost"),
    (0, 4.78, 3.43, 1.45, 1.40, 31.34, "cross_up_sell"),
    (2, 4.40, 2.51, 1.46, 1.75, 61.38, "retain"),
    (4, 1.41, 2.96, 0.99, 0.48, 20.10, "cross_up_sell"),
    (8, 0.45, 14.14, 0.36, 0.03, 30.01, "abandon"),
    (1, 0.22, 10.64, 0.00, 0.02, 4.66, "observe"),
)


def blobs(rows=600, groups=4, seed=5):
    """Points around ``groups`` corners far apart, and the group of each."""
    generator = np.random.default_rng(seed)
    truth = generator.integers(0, groups, rows)
    corners = np.array([[0, 0, 0], [9, 0, 3], [0, 9, -4], [9, 9, 8], [-9, 4, 2]])[:groups]
    return corners[truth] + generator.normal(size=(rows, 3)), truth


def table(matrix, **more):
    columns = {name: matrix[:, place] for place, name in enumerate(("visits", "spend", "basket")[: matrix.shape[1]])}
    return pa.table({"customer": [f"C{place:05d}" for place in range(len(matrix))], **columns, **more})


def run(data, features=("visits", "spend", "basket"), earlier=(), **parameters):
    parameters.setdefault("resamples", 2)
    rows = Rows.of(data, features=features, **({"earlier": earlier} if earlier else {}))
    return MODEL.run(rows, as_of=AS_OF, parameters=ClusterParameters(**parameters))


# The segment profit table


def test_published_table_comes_out_with_its_leverage_and_treatments():
    """The source prints 3.13 % of customers for cluster 0; with 3.43 shares add up to 100 and its leverage is 1.40."""
    sums = [
        SegmentSums(cluster, customers=share, revenue=revenue, units=share * index, tenure_months=months)
        for cluster, revenue, share, index, _leverage, months, _treatment in PUBLISHED
    ]

    rows = segment_profit_table(sums)

    assert sum(each.customers for each in sums) == pytest.approx(100)
    assert [row.treatment for row in rows] == [line[-1] for line in PUBLISHED]
    for row, (cluster, revenue, share, _index, leverage, months, _) in zip(rows, PUBLISHED, strict=True):
        assert (row.cluster, row.tenure_months) == (cluster, months)
        assert row.revenue_share == pytest.approx(revenue / 100, abs=1e-6)
        assert row.customer_share == pytest.approx(share / 100, abs=1e-6)
        assert row.leverage == pytest.approx(leverage, abs=0.0071 if cluster == 0 else 0.005)
    overall = sum(line[2] * line[3] for line in PUBLISHED) / 100
    assert [row.product_index * overall for row in rows] == pytest.approx([line[3] for line in PUBLISHED])


def test_published_share_of_the_fifth_line_is_a_misprint():
    leverage = 4.78 / 3.13
    assert leverage == pytest.approx(1.527, abs=0.001)
    assert sum(line[2] for line in PUBLISHED) - 3.43 + 3.13 == pytest.approx(99.70)


@pytest.mark.parametrize(
    ("leverage", "index", "months", "expected"),
    [
        (1.5, 0.1, 1, "retain"),
        (1.49, 0.1, 1, "cross_up_sell"),
        (0.2, 0.9, 1, "cross_up_sell"),
        (0.2, 0.89, 11.9, "observe"),
        (0.2, 0.89, 12, "low_cost"),
        (0.09, 0.89, 12, "abandon"),
    ],
)
def test_treatment_changes_at_its_thresholds(leverage, index, months, expected):
    sums = [
        SegmentSums(1, customers=50, revenue=leverage * 50, units=index * 50, tenure_months=months),
        SegmentSums(2, customers=50, revenue=(2 - leverage) * 50, units=(2 - index) * 50, tenure_months=months),
    ]
    assert segment_profit_table(sums)[0].treatment == expected


def test_rules_are_parameters():
    sums = [SegmentSums(1, customers=50, revenue=60), SegmentSums(2, customers=50, revenue=40)]
    first, second = segment_profit_table(sums, TreatmentRules(retain_leverage=1.2, abandon_leverage=0.9))
    assert (first.treatment, second.treatment) == ("retain", "abandon")


def test_refunds_larger_than_sales_bring_nothing_and_no_revenue_gives_no_shares():
    loss, gain = segment_profit_table([SegmentSums(1, 10, revenue=-50), SegmentSums(2, 10, revenue=150)])
    assert (loss.revenue, loss.revenue_share, loss.leverage) == (-50, 0, 0)
    assert (gain.revenue_share, gain.leverage) == (1, 2)
    nothing = segment_profit_table([SegmentSums(1, 10, revenue=0), SegmentSums(2, 10, revenue=-1)])
    assert [(row.revenue_share, row.leverage, row.treatment) for row in nothing] == [(None, None, "observe")] * 2


def test_sums_leave_missing_values_out_and_keep_empty_groups():
    sums = segment_sums(
        np.array([0, 0, 2]), 3, revenue=np.array([10.0, np.nan, 5.0]), tenure_months=np.array([12.0, np.nan, np.nan])
    )
    assert [(each.customers, each.revenue, each.tenure_months) for each in sums] == [
        (2, 10, 12), (0, 0, None), (1, 5, None),
    ]  # fmt: skip


# The parts against references


@settings(max_examples=30, deadline=None)
@given(st.integers(5, 40), st.integers(2, 5), st.integers(0, 10**6))
def test_ward_is_that_of_scipy(count, k, seed):
    points = np.random.default_rng(seed).normal(size=(count, 3))
    mine = ward_groups(points, np.ones(count), k)
    assert adjusted_rand_score(fcluster(linkage(points, "ward"), k, "maxclust"), mine) == 1


@pytest.mark.parametrize("k", [2, 3, 5])
def test_a_point_that_weighs_three_is_three_points(k):
    generator = np.random.default_rng(k)
    points, weights = generator.normal(size=(25, 2)), generator.integers(1, 5, 25)
    weighed = ward_groups(points, weights.astype(float), k)
    repeated = ward_groups(np.repeat(points, weights, axis=0), np.ones(weights.sum()), k)
    assert adjusted_rand_score(np.repeat(weighed, weights), repeated) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=60))
def test_agreement_is_the_adjusted_rand_index(pairs):
    left, right = np.array(pairs).T
    assert adjusted_rand(left, right) == pytest.approx(adjusted_rand_score(left, right))


def test_silhouette_is_that_of_scikit_learn():
    matrix, truth = blobs(120)
    truth[0] = 99  # alone in its group
    assert silhouette(pairwise(matrix), truth) == pytest.approx(silhouette_score(matrix, truth), abs=1e-9)
    assert silhouette(pairwise(matrix), np.zeros(120, dtype=int)) == 0


def test_mixture_gives_the_probabilities_of_scikit_learn():
    matrix, _ = blobs(400, 3)
    grouping = Fitting(method="mixture", restarts=2, seed=7).fit(matrix, 3)
    reference = GaussianMixture(3, reg_covar=1e-4, n_init=2, random_state=7, max_iter=200).fit(matrix)
    shares = reference.predict_proba(matrix)
    members = grouping.members(matrix)
    assert members.cluster.tolist() == shares.argmax(axis=1).tolist()
    assert members.confidence == pytest.approx(shares.max(axis=1), abs=1e-6)


def test_confidence_is_one_in_the_middle_and_zero_on_the_border():
    line = np.array([[0.0], [0.1], [-0.1], [10.0], [10.1], [9.9]])
    members = Fitting().fit(line, 2).members(np.array([[0.0], [5.0], [2.5], [10.0]]))
    assert members.confidence == pytest.approx([1, 0, 1 - 2.5 / 7.5, 1])
    assert members.distance == pytest.approx([0, 5, 2.5, 0])


def test_most_stable_number_is_taken_where_none_is_stable_enough():
    tried = [Candidate(2, 0.6, 0.5, 1, 0.1), Candidate(3, 0.4, 0.7, 1, 0.1), Candidate(4, 0.5, 0.9, 1, 0.1)]
    assert chosen(tried, min_stability=0.8).k == 4
    assert chosen(tried, min_stability=0.6).k == 4
    assert chosen(tried, min_stability=0.95).k == 4
    assert chosen(tried, min_stability=0.4).k == 2


# Preparation


def test_features_are_winsorised_logged_and_standardised():
    money = np.array([0.0, 10, 20, 30, 40, 50, 60, 70, 80, 100_000])
    preparation = prepare_features({"money": money}, Treatment(winsorise=0.1))
    (scale,) = preparation.scales
    assert scale.high == pytest.approx(np.quantile(money, 0.9))
    assert scale.logged
    column = preparation.apply({"money": money})[:, 0]
    assert (column.mean(), column.std()) == pytest.approx((0, 1))


def test_a_symmetric_feature_keeps_its_unit_and_a_missing_value_takes_the_median():
    values = np.array([1.0, 2, 3, 4, 5, np.nan])
    preparation = prepare_features({"x": values}, Treatment(winsorise=0, standard="none"))
    assert preparation.apply({"x": values})[:, 0].tolist() == [1, 2, 3, 4, 5, 3]


def test_a_rare_flag_is_not_winsorised_away():
    flag = np.zeros(1000)
    flag[:3] = 1
    (scale,) = prepare_features({"flag": flag}, Treatment(winsorise=0.01)).scales
    assert (scale.low, scale.high) == (0, 1)


def test_range_maps_to_nought_and_one():
    preparation = prepare_features({"x": np.array([-4.0, 0, 4])}, Treatment(winsorise=0, standard="range"))
    assert preparation.apply({"x": np.array([-4.0, 0, 2])})[:, 0].tolist() == [0, 0.5, 0.75]


# The whole


@pytest.mark.parametrize("method", METHODS)
def test_known_groups_and_their_number_are_found(method):
    matrix, truth = blobs(300)
    result = run(table(matrix), method=method, resamples=2, k_min=3, k_max=5)
    assert result.report.metrics["k"] == result.report.parameters["k"] == 4
    assert adjusted_rand_score(truth, result.table["cluster"].to_pylist()) > 0.99
    assert result.report.metrics["stability"] > 0.99


def test_ward_joins_small_groups_of_many_rows():
    matrix, truth = blobs(3000)
    result = run(table(matrix), method="ward", k=4, micro_clusters=60)
    assert adjusted_rand_score(truth, result.table["cluster"].to_pylist()) > 0.99


@pytest.mark.parametrize("method", METHODS)
def test_order_of_the_rows_changes_nothing(method):
    matrix, _ = blobs(200)
    data = table(matrix)
    shuffled = data.take(pa.array(np.random.default_rng(0).permutation(200)))
    once, again = run(data, method=method, k=4, resamples=1), run(shuffled, method=method, k=4, resamples=1)
    assert once.table.equals(again.table)
    assert once.report == again.report


def test_groups_are_numbered_by_revenue_and_told_in_words():
    matrix, truth = blobs(400, 3)
    revenue = np.array([10.0, 500.0, 100.0])[truth]
    result = run(table(matrix, revenue=revenue, units=revenue, tenure=np.full(400, 30.0)), k=3)
    metrics = result.report.metrics
    shares = [metrics[f"cluster_{each}_revenue_share"] for each in (1, 2, 3)]
    assert shares == sorted(shares, reverse=True)
    assert sum(shares) == pytest.approx(1, abs=1e-5)
    assert metrics["cluster_1_treatment"] == "retain"
    assert metrics["cluster_1_name"] == "high visits, high basket"
    assert metrics["cluster_1_why"].startswith("Brings 2.")
    reasons = dict(zip(result.table["cluster"].to_pylist(), result.table["reason"].to_pylist(), strict=True))
    assert reasons[1].startswith("Group 1 of 3, high visits, high basket: visits ")
    assert len({metrics[f"cluster_{each}_name"] for each in (1, 2, 3)}) == 3
    json.dumps(result.report.as_json(), allow_nan=False)


def test_movement_puts_earlier_features_into_todays_groups():
    matrix, _ = blobs(300, 3)
    before = matrix.copy()
    before[:50] = matrix[150:200]
    before[60] = np.nan
    columns = {f"old_{name}": before[:, place] for place, name in enumerate(("visits", "spend", "basket"))}
    result = run(table(matrix, **columns), k=3, earlier=tuple(columns))
    now, then = (result.table[name].to_pylist() for name in ("cluster", "earlier_cluster"))
    assert then[:50] == now[150:200]
    assert then[60] is None
    assert then[61:] == now[61:]
    moved = sum(a != b for a, b in zip(now[:50], then[:50], strict=True))
    assert result.report.metrics["moved"] == moved
    flows = [value for name, value in result.report.metrics.items() if name.startswith("moved_")]
    assert sum(flows) == moved


def test_without_customers_rows_are_numbered():
    matrix, _ = blobs(60, 2)
    result = run(table(matrix).drop_columns("customer"), k=2)
    assert result.table["customer"].to_pylist() == list(range(1, 61))


def test_report_holds_the_curve_for_the_choice():
    matrix, _ = blobs(300)
    series = run(table(matrix), resamples=2, k_max=5).report.series
    assert [x for x, _ in series["silhouette_by_k"]] == [2, 3, 4, 5]
    assert [y for _, y in series["inertia_by_k"]] == sorted((y for _, y in series["inertia_by_k"]), reverse=True)


# Bad input


def test_more_groups_than_rows_are_refused():
    matrix, _ = blobs(4, 2)
    with pytest.raises(ParameterError, match="k is 5, but there are only 4 rows; ask for at most 4 groups"):
        run(table(matrix), k=5)


@pytest.mark.parametrize("method", METHODS)
def test_all_equal_rows_are_one_group(method):
    result = run(table(np.ones((20, 3))), method=method, k=3)
    assert result.report.metrics["k"] == 1
    assert set(result.table["cluster"].to_pylist()) == {1}
    assert "Nothing tells the rows apart: all of them are one group." in result.report.notes
    assert "Asked for 3 groups; only 1 rows differ, so there are 1." in result.report.notes


@pytest.mark.parametrize("method", METHODS)
def test_fewer_different_rows_than_groups_give_as_many_as_differ(method):
    result = run(table(np.repeat([[0.0, 0, 0], [5, 5, 5]], 10, axis=0)), method=method, k=4, winsorise=0)
    assert result.report.metrics["k"] == 2


def test_a_column_of_nulls_is_left_out_and_only_nulls_are_refused():
    matrix, truth = blobs(200, 2)
    nulls = pa.nulls(200, pa.float64())
    result = run(table(matrix, nothing=nulls), features=("visits", "nothing", "spend"), k=2)
    assert "Left out, for no row has a value: nothing." in result.report.notes
    assert adjusted_rand_score(truth, result.table["cluster"].to_pylist()) > 0.95
    with pytest.raises(InputError, match="No row has a value in nothing; give at least one feature"):
        run(table(matrix, nothing=nulls), features=("nothing",), k=2)


@pytest.mark.parametrize("method", METHODS)
def test_a_group_of_one_is_a_group(method):
    matrix = np.vstack([np.random.default_rng(1).normal(size=(40, 3)), [[90.0, 90, 90]]])
    result = run(table(matrix, revenue=np.ones(41)), method=method, k=2, winsorise=0, log="none")
    assert result.report.metrics["smallest_cluster"] == 1
    assert result.table["cluster"].to_pylist()[-1] == 2


def test_one_row_is_one_group_and_no_row_is_an_empty_table():
    matrix, _ = blobs(30, 2)
    one = run(table(matrix[:1]))
    assert one.table["reason"].to_pylist() == [
        "There is one group, for nothing tells customers apart enough to make more."
    ]
    none = run(table(matrix).slice(0, 0))
    assert none.table.schema == run(table(matrix), k=2).table.schema
    assert none.report.metrics == {"customers": 0, "k": 0}


@pytest.mark.parametrize("rows", [2, 3])
def test_two_or_three_rows_are_grouped_without_a_choice(rows):
    result = run(table(np.arange(rows * 3, dtype=float).reshape(rows, 3) ** 2))
    assert 1 <= result.report.metrics["k"] <= rows


def test_a_customer_twice_is_refused_and_one_without_a_name_is_left_out():
    matrix, _ = blobs(40, 2)
    data = table(matrix)
    with pytest.raises(InputError, match="The customer C00003 has more than one row"):
        run(pa.concat_tables([data, data.slice(3, 1)]), k=2)
    nameless = data.set_column(0, "customer", pa.array([None, *data["customer"].to_pylist()[1:]]))
    result = run(nameless, k=2)
    assert result.table.num_rows == 39
    assert "Rows left out because they have no customer: 1." in result.report.notes


def test_rows_that_lack_a_feature_are_left_out_where_asked():
    matrix, _ = blobs(40, 2)
    matrix[0, 0], matrix[1, 1] = np.nan, np.inf
    assert run(table(matrix), k=2).table.num_rows == 40
    result = run(table(matrix), k=2, missing="leave_out")
    assert result.table.num_rows == 38
    assert "Rows left out because a feature is missing: 2." in result.report.notes


def test_texts_and_wrong_settings_are_refused_with_a_sentence():
    matrix, _ = blobs(10, 2)
    with pytest.raises(InputError, match="The column word must be numbers"):
        run(table(matrix, word=["x"] * 10), features=("visits", "word"), k=2)
    with pytest.raises(InputError, match="There are 3 features and 1 earlier ones"):
        run(table(matrix), k=2, earlier=("spend",))
    with pytest.raises(ParameterError, match="k_max is 2; it must be at least k_min"):
        ClusterParameters(k_min=3, k_max=2)


def test_groups_that_run_into_each_other_are_said_to():
    cloud = np.random.default_rng(2).normal(size=(500, 3))
    notes = " ".join(run(table(cloud), k=6, resamples=4).report.notes)
    assert "The groups run into each other" in notes
    assert "The groups are not stable" in notes
