#include <Python.h>

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "unfinished", NULL, -1, NULL};

PyMODINIT_FUNC PyInit_unfinished(void) { return PyModule_Create(&module); }
