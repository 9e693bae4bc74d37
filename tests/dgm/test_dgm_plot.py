import importlib.util
import os
import warnings

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import dgm

mpl.use("agg")
plt = pytest.importorskip("matplotlib.pyplot")
plot = dgm.plot


@pytest.fixture(autouse=True)
def closed_figures_and_untouched_settings():
    before = dict(mpl.rcParams)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", ".*([Ll]ayout|[Gg]lyph|legend).*", UserWarning)  # cut or missing text
        yield
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
    plt.close("all")
    changed = {k for k, v in mpl.rcParams.items() if before[k] != v and not k.startswith("backend")}
    assert not changed


def shown(ax):
    """The array of the picture in an Axes."""
    return np.asarray(ax.get_images()[0].get_array().filled(np.nan))


def labels(ax):
    return ax.get_legend_handles_labels()[1]


@pytest.mark.parametrize("shape", [(8, 1, 5, 4), (8, 5, 4), (5, 4), (6, 3, 5, 4), (1, 1, 28, 28), (100, 1, 8, 8)])
@pytest.mark.parametrize("kind", [torch.rand, np.random.rand])
def test_images_shapes(shape, kind):
    figure = plot.images(kind(*shape), suptitle="A title")
    assert isinstance(figure, Figure) and figure.get_figwidth() <= plot.MAX_WIDTH


def test_images_are_in_reading_order_with_gaps_and_clipped():
    x = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 1, 2, 2) / 4
    picture = shown(plot.images(x, ncols=3).axes[0])
    assert picture.shape == (5, 8)
    assert picture[0, [0, 3, 6]].tolist() == [0, 0.25, 0.5] and picture[3, [0, 3, 6]].tolist() == [0.75, 1, 1]
    assert np.isnan(picture[2]).all() and np.isnan(picture[:, 2]).all()


def test_images_scale_to_the_smallest_and_largest_if_asked():
    picture = shown(plot.images(torch.tensor([[[-2.0, 0.0], [2.0, 6.0]]]), vmin=None, vmax=None).axes[0])
    assert picture.flatten().tolist() == [0, 0.25, 0.5, 1]
    assert np.isfinite(shown(plot.images(torch.ones(1, 2, 2), vmin=None, vmax=None).axes[0])).all()


def test_images_with_titles_have_a_panel_each():
    figure = plot.images(torch.rand(5, 1, 8, 8), ncols=3, titles=list("abcde"), suptitle="all")
    assert [ax.get_title() for ax in figure.axes] == ["a", "b", "c", "d", "e", ""]
    with pytest.raises(ValueError, match="2 titles for 3 images"):
        plot.images(torch.rand(3, 8, 8), titles=["a", "b"])


@pytest.mark.parametrize("shape", [(3,), (2, 2, 4, 4), (0, 1, 4, 4), (1, 1, 1, 4, 4)])
def test_images_refuses_other_shapes(shape):
    with pytest.raises(ValueError, match="expected images"):
        plot.images(torch.zeros(shape))


def test_images_draws_into_given_axes():
    figure, axes = plot.subplots(1, 2)
    assert plot.images(torch.rand(4, 8, 8), ax=axes[1]) is figure
    assert len(axes[1].get_images()) == 1 and not axes[0].get_images()


def test_compare():
    figure = plot.compare(torch.rand(8, 1, 8, 8), torch.rand(8, 3, 8, 8), titles=("x", "y"), suptitle="both")
    assert [ax.get_title() for ax in figure.axes] == ["x", "y"]


@pytest.mark.parametrize(
    "data, names, lengths",
    [
        ([3.0, 2, 1], [], [3]),
        (torch.rand(5, requires_grad=True), [], [5]),
        ({"a": [1, 2], "b": (torch.tensor([0, 10]), np.array([1.0, 2]))}, ["a", "b"], [2, 2]),
        ([{"step": 0, "loss": 1.0}, {"step": 5, "loss": torch.tensor(0.5), "val": 2}], ["loss", "val"], [2, 1]),
    ],
)
def test_curves_understands(data, names, lengths):
    ax = plot.curves(data, ylabel="loss", title="t", reference={"best": 0.5})
    assert labels(ax) == [*names, "best (0.5)"]
    assert [len(line.get_xdata()) for line in ax.get_lines()][: len(lengths)] == lengths


def test_curves_history_uses_its_steps():
    ax = plot.curves([{"step": 10, "loss": 1}, {"step": 20, "loss": 2}])
    assert ax.get_lines()[0].get_xdata().tolist() == [10, 20]


def test_curves_moving_average_is_bias_corrected():
    ax = plot.curves([2.0] * 20, smooth=0.9, logx=True, logy=True)
    assert ax.get_lines()[1].get_ydata() == pytest.approx([2.0] * 20)


def test_curves_errors():
    with pytest.raises(ValueError, match="'a'"):
        plot.curves({"a": ([1, 2], [1, 2, 3])})
    with pytest.raises(ValueError, match="smooth"):
        plot.curves([1], smooth=1)


def test_bars():
    ax = plot.bars({"model": torch.tensor([1.0, 2]), "data": [3, 4]}, labels=["x", "y"], reference={"best": 2})
    assert [p.get_height() for p in ax.patches] == [1, 2, 3, 4] and sorted(labels(ax)) == ["best (2)", "data", "model"]
    assert [t.get_text() for t in plot.bars({"a": 1, "b": 2}).get_xticklabels()] == ["a", "b"]
    assert len(plot.bars(np.ones(200)).get_xticks()) <= 24
    for bad in ({"a": [1, 2], "b": [1]}, [[1, 2]]):
        with pytest.raises(ValueError, match="lengths"):
            plot.bars(bad)
    with pytest.raises(ValueError, match="3 labels for 2 bars"):
        plot.bars([1, 2], labels="abc")


def test_density_is_upright_and_called_without_gradients():
    def log_prob(x):
        assert x.dtype == torch.float32 and not torch.is_grad_enabled()
        return torch.where((x[:, 0] > 0) & (x[:, 1] > 0), 0.0, -torch.inf)  # the upper right quarter

    ax = plot.density2d(log_prob, xlim=(-1, 1), ylim=(-2, 2), n=100, title="density")
    picture = shown(ax)
    assert picture.shape == (100, 100) and picture.sum() == 2500 and picture[99, 99] == 1  # origin is below
    assert ax.get_images()[0].origin == "lower" and ax.get_images()[0].get_extent() == [-1, 1, -2, 2]
    with pytest.raises(ValueError, match="returned"):
        plot.density2d(lambda x: x, n=10)


def test_density_shows_nan():
    ax = plot.density2d(lambda x: torch.full((len(x),), torch.nan), n=8)
    assert np.isnan(shown(ax)).all()


def test_scatter():
    ax = plot.scatter2d(torch.randn(50, 2), label="data", xlim=(-3, 3), ylim=(-3, 3))
    plot.scatter2d(np.array([[0.0, 0], [np.nan, 1]]), ax=ax, label="samples")
    assert labels(ax) == ["data", "samples"] and "1 points not finite" in ax.get_title()
    assert not np.allclose(ax.collections[0].get_facecolor()[0], ax.collections[1].get_facecolor()[0])
    ax = plot.scatter2d(torch.randn(30, 2), labels=torch.arange(30) % 10)
    assert labels(ax) == [str(k) for k in range(10)]
    plot.scatter2d(torch.empty(0, 2))
    with pytest.raises(ValueError, match="points"):
        plot.scatter2d(torch.zeros(3, 3))
    with pytest.raises(ValueError, match="labels"):
        plot.scatter2d(torch.zeros(3, 2), labels=[1])


def test_ellipse_has_the_right_points():
    covariance = torch.tensor([[2.0, 0.9], [0.9, 1.0]])
    ax = plot.scatter2d(torch.randn(5, 2))
    plot.ellipse(torch.tensor([1.0, -1.0]), covariance, ax, n_std=(1, 3), label="fit")
    for patch, k in zip(ax.patches, (1, 3)):
        edge = patch.get_patch_transform().transform(patch.get_path().vertices) - np.array([1, -1])
        on_curve = edge[::3]  # the others steer the Bézier curves
        distance = np.einsum("ni,ij,nj->n", on_curve, np.linalg.inv(covariance), on_curve)
        assert distance == pytest.approx(k**2, rel=1e-3)
    plot.ellipse(np.zeros((3, 2)), np.stack([np.eye(2)] * 3), ax)
    with pytest.raises(ValueError, match="negative eigenvalue"):
        plot.ellipse([0, 0], [[1, 2], [2, 1]], ax)
    with pytest.raises(ValueError, match="expected mean"):
        plot.ellipse([0, 0, 0], np.eye(3), ax)


def test_heatmap():
    ax = plot.heatmap(torch.tensor([[0.0, 1], [2, torch.nan]]), xlabel="key", xticks="ab", yticks=["q", "r"],
                      annotate=True, title="t")  # fmt: skip
    assert [t.get_text() for t in ax.texts] == ["0", "1", "2", "nan"]
    limits = plot.heatmap(torch.tensor([[1.0, -3.0]]), center=0).get_images()[0].get_clim()
    assert limits == (-3, 3)
    plot.heatmap(torch.zeros(2, 2), center=0)
    plot.heatmap(torch.rand(3, 60), xticks=[f"token{i}" for i in range(60)])
    with pytest.raises(ValueError, match="matrix"):
        plot.heatmap(torch.zeros(3))


def test_receptive_field_leaves_only_exact_zeros_white():
    gradient = torch.zeros(2, 5, 5)
    gradient[0, 0, 0], gradient[1, 0, 1], gradient[0, 2, 2] = -1e-20, 2.0, 1e-3
    picture = shown(plot.receptive_field(gradient, center=(2, 3), title="field"))
    assert np.isfinite(picture).sum() == 3
    plot.receptive_field(torch.zeros(4, 4))
    plot.receptive_field(torch.ones(1, 1, 4, 4))
    with pytest.raises(ValueError, match="gradient"):
        plot.receptive_field(torch.zeros(4))


def test_helpers_return_the_given_axes_or_new_ones():
    _, ax = plot.subplots()
    assert plot.curves([1, 2], ax=ax) is ax and plot.bars([1], ax=ax) is ax
    assert isinstance(plot.heatmap(torch.zeros(2, 2)), Axes)
    assert plot.subplots(2, 3)[1].shape == (2, 3)


def test_tensors_of_every_kind_are_taken():
    plot.curves({"bfloat16": torch.ones(3, dtype=torch.bfloat16), "list": [torch.tensor(1.0), torch.tensor(2.0)]})
    plot.heatmap(torch.ones(2, 2, dtype=torch.bool))


def test_use_style_is_the_only_one_that_changes_settings():
    before = dict(mpl.rcParams)
    try:
        plot.use_style()
        assert mpl.rcParams["axes.labelsize"] == 11
    finally:
        mpl.rcParams.update(before)


def test_table(capsys):
    plot.table([["uniform", 2.99573, 1], ["histogram", torch.tensor(2.54316), 12000], ["none", None]],
               header=["model", "NLL", "parameters"])  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        "model        NLL  parameters",
        "---------  -----  ----------",
        "uniform    2.996           1",
        "histogram  2.543      12,000",
        "none           –",
    ]
    plot.table([["guess", None], ["result", 0.5]])
    assert capsys.readouterr().out == "guess        –\nresult  0.5000\n"
    assert plot.format_table({"a": 1, "long": "x"}) == "a     1\nlong  x"
    assert plot.format_table([]) == ""


NOTEBOOK = [
    "import dgm",
    "dgm.plot.images([[0.0, 1.0]])",  # the last value
    "f = dgm.plot.images([[0.0, 1.0]])",  # left open
    "f",  # shown once more
    "dgm.plot.curves([1, 2])",  # axes
    "dgm.plot.curves([1, 2]); dgm.plot.curves([2, 1]); None",  # two figures
    "for _ in dgm.progress(3): pass",
]


@pytest.mark.skipif(
    not all(importlib.util.find_spec(m) for m in ("ipykernel", "jupyter_client", "matplotlib_inline")),
    reason="needs ipykernel",
)
def test_a_notebook_shows_each_figure_once():
    from jupyter_client.manager import KernelManager

    manager = KernelManager(transport="ipc")
    manager.start_kernel(env={k: v for k, v in os.environ.items() if k not in ("MPLBACKEND", "DGM_GRADING")})
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=600)
        counts = []
        for cell in NOTEBOOK:
            messages = []
            client.execute_interactive(cell, output_hook=messages.append, timeout=600, store_history=False)
            assert not [m for m in messages if m["msg_type"] in ("error", "execute_result")]
            counts.append(sum("image/png" in m["content"].get("data", {}) for m in messages))
        assert counts == [0, 1, 1, 1, 1, 2, 0]
        assert messages[-2]["content"]["text"].startswith("\r3/3")
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_nothing_is_drawn_while_grading(monkeypatch):
    monkeypatch.setenv("DGM_GRADING", "1")
    figure, _ = plot.subplots(1, 1)
    monkeypatch.setattr(figure, "savefig", lambda *_, **__: pytest.fail("drawn"))
    figure._ipython_display_()
    assert not plt.fignum_exists(figure.number)
