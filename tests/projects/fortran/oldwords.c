#define PY_SSIZE_T_CLEAN
#include <Python.h>

double length_of(int count, const double *values);
void describe(int number, char text[32]);

static PyObject *length(PyObject *self, PyObject *args)
{
    double values[2];
    if (!PyArg_ParseTuple(args, "dd", &values[0], &values[1]))
        return NULL;
    return PyFloat_FromDouble(length_of(2, values));
}

static PyObject *words(PyObject *self, PyObject *args)
{
    int number;
    char text[32];
    if (!PyArg_ParseTuple(args, "i", &number))
        return NULL;
    describe(number, text);
    return PyUnicode_FromString(text);
}

static PyMethodDef methods[] = {
    {"length", length, METH_VARARGS, "length(x, y) -> the length of a vector"},
    {"words", words, METH_VARARGS, "words(number) -> what Fortran writes"},
    {NULL, NULL, 0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "oldwords", NULL, -1, methods};

PyMODINIT_FUNC PyInit_oldwords(void) { return PyModule_Create(&module); }
