dnl What packages ask a compiler about its language and its options.
dnl Each answer is cached as probe_cv_NAME, so that config.cache holds it.

dnl PROBE_FLAG(NAME, FLAG): a compile option, as AX_CHECK_COMPILE_FLAG asks for it.
AC_DEFUN([PROBE_FLAG], [AC_CACHE_CHECK([whether $CC accepts $2], [probe_cv_$1],
  [probe_saved=$CFLAGS
   CFLAGS="$CFLAGS -Werror $2"
   AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [probe_cv_$1=yes], [probe_cv_$1=no])
   CFLAGS=$probe_saved])])

dnl PROBE_COMPILE(NAME, PROLOGUE, BODY), PROBE_LINK, PROBE_RUN: one program, one answer.
AC_DEFUN([PROBE_COMPILE], [AC_CACHE_CHECK([whether $1 compiles], [probe_cv_$1],
  [AC_COMPILE_IFELSE([AC_LANG_PROGRAM([$2], [$3])], [probe_cv_$1=yes], [probe_cv_$1=no])])])
AC_DEFUN([PROBE_LINK], [AC_CACHE_CHECK([whether $1 links], [probe_cv_$1],
  [AC_LINK_IFELSE([AC_LANG_PROGRAM([$2], [$3])], [probe_cv_$1=yes], [probe_cv_$1=no])])])
AC_DEFUN([PROBE_RUN], [AC_CACHE_CHECK([whether $1 runs], [probe_cv_$1],
  [AC_RUN_IFELSE([AC_LANG_PROGRAM([$2], [$3])], [probe_cv_$1=yes], [probe_cv_$1=no],
    [probe_cv_$1=cross])])])
