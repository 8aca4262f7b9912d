#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <omp.h>

long sum_of_squares(long count);
int threads_at_work(void);

static PyObject *max_threads(PyObject *self, PyObject *unused)
{
    return PyLong_FromLong(omp_get_max_threads());
}

static PyObject *team(PyObject *self, PyObject *unused)
{
    return PyLong_FromLong(threads_at_work());
}

static PyObject *squares(PyObject *self, PyObject *count)
{
    long number = PyLong_AsLong(count);
    if (number == -1 && PyErr_Occurred())
        return NULL;
    return PyLong_FromLong(sum_of_squares(number));
}

static PyMethodDef methods[] = {
    {"max_threads", max_threads, METH_NOARGS, "max_threads() -> int"},
    {"team", team, METH_NOARGS, "team() -> how many threads a parallel region has"},
    {"squares", squares, METH_O, "squares(n) -> 1 + 4 + 9 + ... + n * n"},
    {NULL, NULL, 0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", NULL, -1, methods};

PyMODINIT_FUNC PyInit__core(void) { return PyModule_Create(&module); }
