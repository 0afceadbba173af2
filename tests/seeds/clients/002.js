class ModernTaskManager {
    async loadTask(taskId) {
        // 1. Get initial snapshot
        const status = await this.api.get(`/v2/tasks/${taskId}/status`);
        const logs = await this.api.get(`/v2/tasks/${taskId}/logs?limit=50`);
        
        // 2. Render initial state
        this.renderTaskStatus(status);
        this.renderLogs(logs.logs);
        
        // 3. Join task room for targeted updates
        this.socket.emit('join_task', { task_id: taskId });
        
        // 4. Subscribe to real-time events
        this.socket.on('phase_update', this.handlePhaseUpdate.bind(this));
        this.socket.on('phase_complete', this.handlePhaseComplete.bind(this));
        this.socket.on('log', this.handleNewLog.bind(this));
    }
    
    handlePhaseUpdate(data) {
        if (data.task_id === this.currentTaskId) {
            this.updatePhaseProgress(data.phase_id, data);
        }
    }
    
    handleNewLog(data) {
        if (data.task_id === this.currentTaskId) {
            this.appendLog(data);
        }
    }
}
