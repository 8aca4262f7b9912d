/* The loops, apart from Python. */
#include <omp.h>

long sum_of_squares(long count)
{
    long sum = 0;
#pragma omp parallel for reduction(+ : sum)
    for (long i = 1; i <= count; i++)
        sum += i * i;
    return sum;
}

int threads_at_work(void)
{
    int number = 0;
#pragma omp parallel
    {
#pragma omp single
        number = omp_get_num_threads();
    }
    return number;
}
