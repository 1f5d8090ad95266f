# The gateway as an image. What is in it is decided by scripts/image.sh alone, which the CI runs and starts without Docker.
#
#   docker build -t highwater .
#   docker run -p 1883:1883 -p 8080:8080 -v "$PWD/config:/etc/highwater:ro" -v highwater-data:/data highwater
#
# In a container the config listens on 0.0.0.0 (mqtt.listeners with `anonymous: unsafe`; http.host, once there is an account: run `user add` first) and
# keeps its data in /data (gateway.data_dir).

FROM node:24-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY . .
RUN scripts/image.sh /image

FROM node:24-slim
ENV NODE_ENV=production
COPY --from=build /image /app
RUN install -d -o node -g node /data
USER node
WORKDIR /data
VOLUME /data
EXPOSE 1883 8080
# HIGHWATER_HTTP_PORT says where the health check asks; set it if the config's http.port is another.
ENV HIGHWATER_HTTP_PORT=8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --retries=3 \
  CMD ["node", "-e", "fetch(`http://127.0.0.1:${process.env.HIGHWATER_HTTP_PORT}/healthz`).then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["node", "/app/bin/highwater.js"]
CMD ["run", "--config", "/etc/highwater/highwater.yaml"]
