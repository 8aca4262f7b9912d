#include <Python.h>

static PyObject *cube(PyObject *self, PyObject *number)
{
    long side = PyLong_AsLong(number);
    return side == -1 && PyErr_Occurred() ? NULL : PyLong_FromLong(side * side * side);
}

static PyMethodDef methods[] = {{"cube", cube, METH_O, "cube(n) -> n * n * n"},
                                {NULL, NULL, 0, NULL}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "selfmade_core", NULL, -1, methods};

PyMODINIT_FUNC PyInit_selfmade_core(void) { return PyModule_Create(&module); }
