#include "stages/cleaning/likeness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    ROUNDS = 50,
    SOMEBODY_ELSE = FSH_LIKENESS_GRADES, /* column behind the grades */
    COLUMNS,
    BELIEVED_PAIRS = 10,   /* weight of what was believed before, in pairs of people */
    BELIEVED_PEOPLE = 2,   /* and in people */
    BELIEVED_PICTURES = 20 /* and in pictures, spread over the grades */
};

/* A picture may be so poor that it keeps three tenths of its likeness. What is poorer than that
 * cannot be told from somebody else. */
static const double poorest = 0.3, grade_step = 0.075, believed_wrong = 0.02, believed_known = 0.5;
static const double usual_score = 6; /* of two pictures of one person, believed */
static const double quantile_99 = 2.3263478740408408, per_mad = 1.4826022185056018;

static double
grade(uint32_t k)
{
    return poorest + grade_step * k;
}

void
fsh_likeness_init(fsh_likeness *like, double threshold, uint32_t dimension)
{
    double cut = 1 - threshold * threshold / 2; /* the cosine at that distance */
    uint32_t k;

    like->mean = 0;
    like->spread = cut > 0 && cut < 0.5 ? cut / quantile_99 : 1 / sqrt(dimension);
    like->same = fmin(usual_score * like->spread, 0.9);
    like->wrong = believed_wrong;
    like->known = believed_known;
    for (k = 0; k < FSH_LIKENESS_GRADES; k++)
        like->shares[k] = 1.0 / FSH_LIKENESS_GRADES;
}

static int
compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

static double
quantile(const float *sorted, uint64_t n, double share)
{
    return sorted[(uint64_t)(share * (double)(n - 1) + 0.5)];
}

/* Tails are wider than a normal distribution's, and wrong labels put pairs of one person among
 * those of different people: hence the wider of two estimates that ignore the last per cent. */
void
fsh_likeness_set_others(fsh_likeness *like, float *similarities, uint64_t n, uint64_t pairs)
{
    double weight = (double)pairs / (double)(pairs + BELIEVED_PAIRS), median, tail, middle, spread;
    uint64_t i;

    if (n == 0)
        return;
    qsort(similarities, n, sizeof *similarities, compare);
    median = quantile(similarities, n, 0.5);
    tail = (quantile(similarities, n, 0.99) - median) / quantile_99;
    for (i = 0; i < n; i++)
        similarities[i] = fabsf(similarities[i] - (float)median);
    qsort(similarities, n, sizeof *similarities, compare);
    middle = per_mad * quantile(similarities, n, 0.5);
    spread = fmax(tail, middle);
    like->mean += weight * (median - like->mean);
    like->spread =
        fmax(sqrt(weight * spread * spread + (1 - weight) * like->spread * like->spread), 1e-3);
}

void
fsh_likeness_set_same(fsh_likeness *like, float *similarities, uint64_t n)
{
    double weight = (double)n / (double)(n + BELIEVED_PEOPLE), median;

    if (n == 0)
        return;
    qsort(similarities, n, sizeof *similarities, compare);
    median = quantile(similarities, n, 0.5) - like->mean;
    like->same = fmin(fmax(weight * median + (1 - weight) * like->same, 3 * like->spread), 0.98);
}

double
fsh_likeness_score(const fsh_likeness *like, double similarity)
{
    return (similarity - like->mean) / like->spread;
}

double
fsh_likeness_gain(const fsh_likeness *like, double pictures)
{
    return sqrt(pictures / (1 + (pictures - 1) * like->same));
}

double
fsh_likeness_expected(const fsh_likeness *like, double pictures)
{
    return like->same * fsh_likeness_gain(like, pictures) / like->spread;
}

static double
normal(double x)
{
    return exp(-0.5 * x * x);
}

static void
fill_densities(const fsh_likeness *like, double score, double pictures, double row[COLUMNS])
{
    double expected = fsh_likeness_expected(like, pictures);
    uint32_t k;

    /* Beyond the best grade everything is as good as that. */
    score = fmin(score, grade(FSH_LIKENESS_GRADES - 1) * expected);
    for (k = 0; k < FSH_LIKENESS_GRADES; k++)
        row[k] = normal(score - grade(k) * expected);
    row[SOMEBODY_ELSE] = normal(score);
}

/* One round of expectation maximisation: shares become their expectation. */
static void
improve(const double *densities, uint64_t n, double shares[COLUMNS])
{
    double sums[COLUMNS], total = 0;
    uint64_t i;
    uint32_t k;

    for (k = 0; k < COLUMNS; k++)
        sums[k] =
            BELIEVED_PICTURES *
            (k == SOMEBODY_ELSE ? believed_wrong : (1 - believed_wrong) / FSH_LIKENESS_GRADES);
    for (i = 0; i < n; i++) {
        const double *row = densities + i * COLUMNS;
        double sum = 1e-300;

        for (k = 0; k < COLUMNS; k++)
            sum += row[k] * shares[k];
        for (k = 0; k < COLUMNS; k++)
            sums[k] += row[k] * shares[k] / sum;
    }
    for (k = 0; k < COLUMNS; k++)
        total += sums[k];
    for (k = 0; k < COLUMNS; k++)
        shares[k] = sums[k] / total;
}

fsh_status
fsh_likeness_fit(fsh_likeness *like, const float *scores, const uint32_t *pictures, uint64_t n)
{
    double *densities = malloc((n + 1) * COLUMNS * sizeof *densities), shares[COLUMNS];
    uint64_t i;
    uint32_t k;

    if (!densities)
        return FSH_MEMORY;
    for (i = 0; i < n; i++)
        fill_densities(like, scores[i], pictures[i], densities + i * COLUMNS);
    for (k = 0; k < COLUMNS; k++)
        shares[k] = 1.0 / COLUMNS;
    for (k = 0; k < ROUNDS; k++)
        improve(densities, n, shares);
    like->wrong = shares[SOMEBODY_ELSE];
    for (k = 0; k < FSH_LIKENESS_GRADES; k++)
        like->shares[k] = shares[k] / (1 - like->wrong);
    free(densities);
    return FSH_OK;
}

/* Logarithms throughout: at a score of 40 the density of a normal distribution is no double. */
double
fsh_likeness_weigh(const fsh_likeness *like, double score, double pictures)
{
    double expected = fsh_likeness_expected(like, pictures), terms[FSH_LIKENESS_GRADES],
           most = -INFINITY, sum = 0;
    uint32_t k;

    score = fmin(score, grade(FSH_LIKENESS_GRADES - 1) * expected);
    for (k = 0; k < FSH_LIKENESS_GRADES; k++) {
        double apart = score - grade(k) * expected;

        terms[k] = log(like->shares[k]) - 0.5 * apart * apart;
        most = fmax(most, terms[k]);
    }
    for (k = 0; k < FSH_LIKENESS_GRADES; k++)
        sum += exp(terms[k] - most);
    return most + log(sum) + 0.5 * score * score;
}
