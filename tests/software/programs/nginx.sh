# needs: nginx ab
# A web server with two workers under a load.
mkdir -p /tmp/web/www && cd /tmp/web
echo 'hello from the guest' >www/index.html
cat >nginx.conf <<'C'
user root;
worker_processes 2;
pid /tmp/web/pid;
error_log /tmp/web/error.log;
events { worker_connections 128; }
http {
    access_log /tmp/web/access.log;
    client_body_temp_path /tmp/web/body; proxy_temp_path /tmp/web/proxy;
    fastcgi_temp_path /tmp/web/fastcgi; uwsgi_temp_path /tmp/web/uwsgi; scgi_temp_path /tmp/web/scgi;
    server { listen 127.0.0.1:7779; root /tmp/web/www; }
}
C
nginx -c /tmp/web/nginx.conf
ab -q -n 1000 -c 10 http://127.0.0.1:7779/ | grep -E 'Complete|Failed|per second'
nginx -c /tmp/web/nginx.conf -s stop
wc -l <access.log
