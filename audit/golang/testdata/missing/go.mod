module example.com/missing

go 1.26.0

require example.invalid/queue v1.2.3
