// A damped harmonic oscillator. It uses what makes C++ wheels interesting: the standard
// library's containers, exceptions, and mathematical functions with several glibc versions.
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cmath>
#include <stdexcept>
#include <string>
#include <vector>

static std::vector<double> positions_of(double damping, double step, long count) {
    if (count < 0) throw std::invalid_argument("count is negative: " + std::to_string(count));
    std::vector<double> result;
    result.reserve(static_cast<std::size_t>(count));
    for (long i = 0; i < count; ++i) {
        const double time = step * static_cast<double>(i);
        result.push_back(std::exp(-damping * time) * std::cos(std::pow(time, 1.0)));
    }
    return result;
}

static PyObject *positions(PyObject *, PyObject *args) {
    double damping, step;
    long count;
    if (!PyArg_ParseTuple(args, "ddl", &damping, &step, &count)) return nullptr;
    try {
        const std::vector<double> values = positions_of(damping, step, count);
        PyObject *list = PyList_New(static_cast<Py_ssize_t>(values.size()));
        if (!list) return nullptr;
        for (std::size_t i = 0; i < values.size(); ++i)
            PyList_SET_ITEM(list, static_cast<Py_ssize_t>(i), PyFloat_FromDouble(values[i]));
        return list;
    } catch (const std::exception &error) {
        PyErr_SetString(PyExc_ValueError, error.what());
        return nullptr;
    }
}

static PyMethodDef methods[] = {
    {"positions", positions, METH_VARARGS, "positions(damping, step, count) -> list of float"},
    {nullptr, nullptr, 0, nullptr}};

static PyModuleDef module = {PyModuleDef_HEAD_INIT, "_core", nullptr, -1, methods,
                             nullptr, nullptr, nullptr, nullptr};

PyMODINIT_FUNC PyInit__core() { return PyModule_Create(&module); }
