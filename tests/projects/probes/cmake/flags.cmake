# Options of the compilers and of the linker.
foreach(flag IN ITEMS
    -Wmaybe-uninitialized -Wno-probe-nothing -ffast-math -fopenmp-simd -fno-semantic-interposition
    -fno-plt -funroll-all-loops -fdiagnostics-color=always -mcpu=neoverse-n1 -march=armv8-a+crc
    -march=armv9-a -march=x86-64-v3 -mavx2 -mbranch-protection=standard -moutline-atomics
    -mabi=lp64 -std=c23 -fprobe-nothing)
  string(MAKE_C_IDENTIFIER "C${flag}" name)
  check_c_compiler_flag("${flag}" ${name})
  answer(${name})
endforeach()
foreach(flag IN ITEMS -std=c++20 -std=c++23 -fvisibility-inlines-hidden -stdlib=libc++
                      -Wsuggest-override -Wstrict-prototypes)
  string(MAKE_C_IDENTIFIER "CXX${flag}" name)
  string(REPLACE "c__" "cxx" name "${name}")
  check_cxx_compiler_flag("${flag}" ${name})
  answer(${name})
endforeach()
foreach(flag IN ITEMS -Wl,--gc-sections -Wl,--icf=all -Wl,--probe-nothing
                      -Wl,-Bsymbolic-functions -fuse-ld=bfd -static)
  string(MAKE_C_IDENTIFIER "LINK${flag}" name)
  check_linker_flag(C "${flag}" ${name})
  answer(${name})
endforeach()
