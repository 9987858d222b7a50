export { engineProblem as softwareKvmProblem } from '@unpin/x86/built';
