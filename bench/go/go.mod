module netjail-bench

go 1.21
