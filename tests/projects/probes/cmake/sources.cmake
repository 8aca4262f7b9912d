# Small programs: compiled, linked, run.
check_c_source_compiles("#include <complex.h>
int main(void) { double _Complex z = 1 + 2 * I; return (int)(cimag(z) - 2); }" C_complex)
check_c_source_compiles("#include <arm_neon.h>
int main(void) { return vgetq_lane_s32(vdupq_n_s32(0), 0); }" C_neon)
check_c_source_compiles("int main(void) { int n = 2; int twice(int v) { return n * v; }
  return twice(0); }" C_nested_function)
check_c_source_compiles("__attribute__((optimize(\"O1\"))) int f(void) { return 0; }
int main(void) { return f(); }" C_optimize_attribute FAIL_REGEX "warning")
check_c_source_compiles("#if !__has_builtin(__builtin_expect)
#error nothing
#endif
int main(void) { return 0; }" C_has_builtin)
check_c_source_runs("struct s { char c; long double d; } __attribute__((aligned(64)));
int main(void) { return !(sizeof(struct s) == 64 && (char)-1 > 0); }" C_layout)
check_c_source_runs("#define _GNU_SOURCE
#include <link.h>
static int look(struct dl_phdr_info *info, size_t size, void *data) {
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_align != 0x10000)
      *(int *)data = 1;
  return 1; }
int main(void) { int found = 0; dl_iterate_phdr(look, &found); return found; }" C_aligned_64k)
check_c_source_runs("int main(void) { return 3; }" C_fails)
check_cxx_source_compiles("#include <optional>
int main() { return std::optional<int>().has_value(); }" CXX_optional_by_default)
check_cxx_source_compiles("template <class T> concept small = sizeof(T) == 1;
int main() { return small<int>; }" CXX_concepts_by_default)
check_cxx_source_compiles("int main() { double v = 1; int a[] = {v}; return a[0]; }" CXX_narrowing)
check_cxx_source_compiles("int main() { register int v = 0; return v; }" CXX_register)
check_cxx_source_runs("#include <stdexcept>
int main() { try { throw std::out_of_range(\"probe\"); }
  catch (const std::logic_error &e) { return e.what()[0] != 'p'; } return 2; }" CXX_exceptions)
# A standard that GCC 10 lacks: CMake takes the newest there is.
set(CMAKE_C_STANDARD 23)
check_c_source_compiles("int main(void) { return 0; }" C_standard_23)
set(CMAKE_CXX_STANDARD 23)
check_cxx_source_compiles("int main() { return 0; }" CXX_standard_23)

foreach(name IN ITEMS C_complex C_neon C_nested_function C_optimize_attribute C_has_builtin
                      C_layout C_aligned_64k C_fails C_standard_23 CXX_standard_23
                      CXX_optional_by_default CXX_concepts_by_default CXX_narrowing CXX_register
                      CXX_exceptions)
  answer(${name})
endforeach()
