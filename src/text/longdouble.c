/* INCRBYFLOAT and HINCRBYFLOAT add in `long double`; Rust has no such type, so these few lines do. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads a whole NUL-terminated text; 1 when it is a number that the server takes (no overflow, no underflow to 0). */
static int read_ld(const char *text, long double *value) {
    char *end;
    errno = 0;
    *value = strtold(text, &end);
    if (end == text || *end || isnan(*value) || errno == EINVAL) return 0;
    return !(errno == ERANGE && (*value == HUGE_VALL || *value == -HUGE_VALL || *value == 0));
}

/* Adds two decimal texts (NUL-terminated) and prints the sum with 17 decimals into out.
 * Returns the printed length, -1 when `a` and -2 when `b` is no number, -3 when the sum is NaN or infinite. */
int resnap_ld_add(const char *a, const char *b, char *out, unsigned long cap) {
    long double x, y;
    if (!read_ld(a, &x)) return -1;
    if (!read_ld(b, &y)) return -2;
    long double sum = x + y;
    if (isnan(sum) || isinf(sum)) return -3;
    int n = snprintf(out, cap, "%.17Lf", sum);
    return n < 0 || (unsigned long)n >= cap ? -3 : n;
}

/* 0 for a finite number, 1 for an infinite one, -1 for none. */
int resnap_ld_kind(const char *a) {
    long double x;
    return !read_ld(a, &x) ? -1 : isinf(x) != 0;
}

/* strtod on a whole text, with the same refusals; says in *ok whether the value counts. */
double resnap_strtod(const char *text, int *ok) {
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    *ok = end != text && !*end && !isnan(value) && errno != EINVAL
        && !(errno == ERANGE && (value == HUGE_VAL || value == -HUGE_VAL || value == 0));
    return value;
}
