import { Node } from '../ts-morph.js';
import type { Transform } from '../transform.js';
import { rewriteAdapters } from './adapters.js';
import { checkEventName, rewriteGatewayDecorator } from './gateway-decorator.js';
import { GatewayFile } from './gateway-file.js';
import { GatewayProject } from './gateway-project.js';
import { rewriteHandedOn, rewriteInit } from './handler-methods.js';
import { rewriteRootModule } from './root-module.js';
import { rewriteLookup, rewritePattern, rewriteProperty } from './socket-properties.js';
import { rewriteType } from './socket-types.js';
import { rewriteVerb } from './verbs.js';

/** What turns code of Socket.IO's gateways into this library's. */
export const gatewayTransforms: readonly Transform[] = [
  {
    name: 'gateways',
    apply(source, context) {
      const project = GatewayProject.of(context.files);
      if (!project.isOfSocketIo) return;
      const file = new GatewayFile(source, context, project);
      rewriteAdapters(file);
      rewriteRootModule(file);
      visit(source, file);
      for (const module of ['socket.io', '@nestjs/platform-socket.io', 'socket.io/dist/typed-events']) {
        context.imports.dropUnused(module);
      }
    },
  },
];

/** What stands inside comes first: an outer text is made of the inner ones. */
function visit(node: Node, file: GatewayFile): void {
  node.forEachChild((child) => visit(child, file));
  rewriteType(node, file);
  rewriteGatewayDecorator(node, file);
  checkEventName(node, file);
  rewriteInit(node, file);
  rewriteProperty(node, file);
  rewritePattern(node, file);
  rewriteHandedOn(node, file);
  if (!Node.isCallExpression(node)) return;
  rewriteLookup(node, file);
  rewriteVerb(node, file);
}
