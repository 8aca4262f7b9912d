! What C calls: plain arithmetic, an intrinsic of the runtime library, and text that Fortran writes.
module norm
  use, intrinsic :: iso_c_binding, only: c_char, c_double, c_int, c_null_char
  implicit none
contains
  function length_of(count, values) bind(c, name='length_of') result(length)
    integer(c_int), value, intent(in) :: count
    real(c_double), intent(in) :: values(count)
    real(c_double) :: length
    length = norm2(values)
  end function length_of

  subroutine describe(number, text) bind(c, name='describe')
    integer(c_int), value, intent(in) :: number
    character(kind=c_char), intent(out) :: text(32)
    character(len=31) :: line
    integer :: i
    write (line, '("number ", i0)') number
    do i = 1, len_trim(line)
      text(i) = line(i:i)
    end do
    text(len_trim(line) + 1) = c_null_char
  end subroutine describe
end module norm
