#define PY_SSIZE_T_CLEAN
#include <Python.h>

static PyObject *one(PyObject *self, PyObject *unused)
{
    return PyLong_FromLong(1);
}

static PyMethodDef methods[] = {{"one", one, METH_NOARGS, "Give one."}, {NULL, NULL, 0, NULL}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", NULL, 0, methods};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModule_Create(&module);
}
