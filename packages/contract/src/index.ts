export * from './errors/catalogue.ts';
export * from './errors/unpin-error.ts';
export * from './messages/capabilities.ts';
export * from './messages/launch-order.ts';
export * from './messages/policy.ts';
export * from './messages/vm-report.ts';
export * from './route.ts';
export * from './routes/vmm-routes.ts';
