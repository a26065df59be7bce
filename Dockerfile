# One image for every station; its command says which: collector, analyzer, api, migrate.
# The engines are servers here, so neither the embedded ones nor the Node of package.json are in it.
FROM node:26.10.0-bookworm-slim AS console
WORKDIR /opt/headwater
COPY . .
RUN npm ci --workspace=@headwater/console && npm run build:console

FROM node:26.10.0-bookworm-slim

ENV NODE_ENV=production
WORKDIR /opt/headwater
COPY . .
RUN npm ci --omit=dev --omit=optional --workspace=headwater && npm cache clean --force
COPY --from=console /opt/headwater/dashboards/console/dist dashboards/console/dist
RUN mkdir /var/lib/headwater && chown node:node /var/lib/headwater

USER node
ENTRYPOINT ["node", "/opt/headwater/cli/headwater.js"]
CMD ["--help"]
