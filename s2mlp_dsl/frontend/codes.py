"""What can be wrong with the text of a spec."""

from s2mlp_dsl.diagnostics import code

UNEXPECTED = code("A0101", "this does not belong here")
NO_EDITION = code("A0102", "the file does not say its edition")
BAD_EDITION = code("A0103", "this edition does not exist")
BAD_CHARACTER = code("A0104", "this character means nothing in a spec")
NOT_CLOSED = code("A0105", "this bracket is never closed")
NOT_OPENED = code("A0106", "nothing is open here to be closed")
OPEN_STRING = code("A0107", "this text is never closed")
BAD_NUMBER = code("A0108", "this is not a number")
ASSIGNED = code("A0109", "a claim compares with `==` or `~=`")
TOO_DEEP = code("A0110", "this nests too deeply")
