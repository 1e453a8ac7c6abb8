/* INCRBYFLOAT and HINCRBYFLOAT add in `long double`; Rust has no such type, so these few lines do. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Adds two decimal texts (NUL-terminated, at most 255 bytes) and prints the sum with 17 decimals
 * into out. Returns the printed length, -1 when `a` and -2 when `b` is no number, -3 when the sum is NaN or infinite. */
int resnap_ld_add(const char *a, const char *b, char *out, unsigned long cap) {
    char *end;
    errno = 0;
    long double x = strtold(a, &end);
    if (end == a || *end || (errno == ERANGE && (x == HUGE_VALL || x == -HUGE_VALL || x == 0)) || isnan(x)) return -1;
    errno = 0;
    long double y = strtold(b, &end);
    if (end == b || *end || (errno == ERANGE && (y == HUGE_VALL || y == -HUGE_VALL || y == 0)) || isnan(y)) return -2;
    long double s = x + y;
    if (isnan(s) || isinf(s)) return -3;
    int n = snprintf(out, cap, "%.17Lf", s);
    return n < 0 || (unsigned long)n >= cap ? -3 : n;
}
