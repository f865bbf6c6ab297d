module netjail-differential

go 1.21
