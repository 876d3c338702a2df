"""What is told of a training: a line for each epoch on the terminal, train.csv, and train.svg with two curves."""
import csv
import io
import math

from faceshard_training.files import write_whole

COLUMNS = ("epoch", "batches", "pictures", "loss", "rate", "seconds", "accuracy", "standard_error", "auc")
WIDTH, HEIGHT, LEFT, TOP = 640, 240, 60, 24
CURVES = (("loss", "#b03030"), ("accuracy", "#2050a0"))


def write_csv(path, history):
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    write_whole(path, text.getvalue().encode())


def told(row):
    """One epoch in words."""
    line = (f"epoch {row['epoch']:3d}  loss {row['loss']:.4f}  rate {row['rate']:.2e}  "
            f"{row['pictures'] / max(row['seconds'], 1e-9):.1f} pictures/s")
    if row.get("accuracy") is not None:
        line += f"  accuracy {100 * row['accuracy']:.2f} %  AUC {row['auc']:.4f}"
    return line


def span(values):
    low, high = min(values), max(values)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def curve(points, epochs, name, colour, down):
    """One panel: frame, smallest and largest value, line."""
    low, high = span([value for _, value in points])
    places = [(LEFT + (WIDTH - LEFT - 20) * epoch / max(epochs, 1), down + (HEIGHT - 2 * TOP) * (high - value) / (high - low))
              for epoch, value in points]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    bottom = down + HEIGHT - 2 * TOP
    return (f'<rect x="{LEFT}" y="{down}" width="{WIDTH - LEFT - 20}" height="{HEIGHT - 2 * TOP}" fill="none" stroke="#999"/>'
            f'<text x="{LEFT}" y="{down - 6}">{name}</text>'
            f'<text x="{LEFT - 6}" y="{down + 10}" text-anchor="end">{high:.4g}</text>'
            f'<text x="{LEFT - 6}" y="{bottom}" text-anchor="end">{low:.4g}</text>'
            f'<text x="{WIDTH - 20}" y="{bottom + 15}" text-anchor="end">epoch {epochs}</text>'
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            + "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5" fill="{colour}"/>' for x, y in places))


def write_svg(path, history):
    panels, down = [], TOP
    for name, colour in CURVES:
        points = [(row["epoch"], row[name]) for row in history if row.get(name) is not None and math.isfinite(row[name])]
        if points:
            panels.append(curve(points, history[-1]["epoch"], name, colour, down))
            down += HEIGHT - TOP
    text = (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{down}" font-family="sans-serif" font-size="12">'
            f'<rect width="100%" height="100%" fill="white"/>{"".join(panels)}</svg>\n')
    write_whole(path, text.encode())
